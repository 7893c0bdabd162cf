/** Asks for the admin token. */
import { useState } from 'preact/hooks';
import { ApiError, createApi, errorText } from '../parts/api.ts';
import { ErrorNotice } from '../parts/error-notice.tsx';
import mark from '../parts/giraffe.svg';

/** What becomes of a token. */
export interface SignInProps {
  /** Why one has to sign in again. */
  readonly reason: string | undefined;
  /** The token is good. */
  readonly onToken: (token: string) => void;
}

/** The form. */
export function SignIn({ reason, onToken }: SignInProps) {
  const [token, setToken] = useState('');
  const [error, setError] = useState(reason);
  const check = async (): Promise<void> => {
    const wanted = token.trim();
    try {
      await createApi(() => wanted).get('/api/v1/stats');
      onToken(wanted);
    } catch (failure) {
      const isWrong = failure instanceof ApiError && failure.status === 401;
      setError(isWrong ? 'That is not the admin token of this edge.' : errorText(failure));
    }
  };
  return (
    <main class="alone">
      <form
        class="card sign-in"
        onSubmit={(event) => {
          event.preventDefault();
          void check();
        }}
      >
        <img src={mark} alt="" />
        <h1>giraffe dashboard</h1>
        <p class="muted">
          The token is in the file <code>admin-token</code> in the state folder of the edge. It is kept until this tab
          is closed.
        </p>
        <label class="field">
          Admin token
          <input
            class="input mono"
            type="password"
            autocomplete="current-password"
            required
            value={token}
            onInput={({ currentTarget }) => setToken(currentTarget.value)}
          />
        </label>
        <ErrorNotice text={error} />
        <button type="submit" class="button primary">
          Sign in
        </button>
      </form>
    </main>
  );
}
