/** The dashboard's page: the sign-in, and the board behind it. The token lives as long as the tab. */
import { render } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import '../parts/theme.css';
import './dashboard.css';
import { createApi } from '../parts/api.ts';
import { Board } from './board.tsx';
import { SignIn } from './sign-in.tsx';

/** Never in a cookie: no other page can make the browser send it. */
const storageKey = 'giraffe-admin-token';

function Page() {
  const [token, setToken] = useState(sessionStorage.getItem(storageKey) ?? undefined);
  const [reason, setReason] = useState<string | undefined>(undefined);
  const api = useMemo(() => createApi(() => token), [token]);
  if (token === undefined) {
    return (
      <SignIn
        reason={reason}
        onToken={(given) => {
          sessionStorage.setItem(storageKey, given);
          setToken(given);
        }}
      />
    );
  }
  return (
    <Board
      api={api}
      onSignOut={(why) => {
        sessionStorage.removeItem(storageKey);
        setReason(why);
        setToken(undefined);
      }}
    />
  );
}

const place = document.getElementById('app');
if (place !== null) render(<Page />, place);
