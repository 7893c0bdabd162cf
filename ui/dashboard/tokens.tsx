/** Tokens of agents: list, make, revoke. A secret is shown once, to whoever made the token. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { type Api, ApiError } from '../parts/api.ts';
import { Confirm } from '../parts/confirm.tsx';
import { copyText } from '../parts/copy.ts';
import { Dialog } from '../parts/dialog.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { Icon } from '../parts/icon.tsx';
import type { CreatedToken, Token } from './edge-api.ts';

/** What the section works with. */
export interface TokensProps {
  readonly api: Api;
  /** Whether the edge answers; undefined before it was asked. */
  readonly isOpen: boolean | undefined;
  readonly tell: (text: string) => void;
}

/** Time between looks whether a command made or revoked one, in milliseconds. */
const lookMs = 10_000;

const dayMs = 86_400_000;
const lifetimes = [
  ['never', 0],
  ['after a day', 1],
  ['after 7 days', 7],
  ['after 30 days', 30],
  ['after 90 days', 90],
  ['after a year', 365],
] as const;

/** The section. */
export function Tokens({ api, isOpen, tell }: TokensProps) {
  const [tokens, setTokens] = useState<readonly Token[] | undefined>(undefined);
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<CreatedToken | undefined>(undefined);
  const [leaving, setLeaving] = useState<Token | undefined>(undefined);
  const load = useCallback(async () => {
    try {
      setTokens((await api.get<{ tokens: Token[] }>('/api/v1/tokens')).tokens);
    } catch (error) {
      // When nothing answers or the token is refused, the board says so.
      if (error instanceof ApiError && error.status !== 0 && error.status !== 401) tell(error.message);
    }
  }, [api]);
  useEffect(() => {
    if (isOpen !== true) return undefined;
    void load();
    const timer = setInterval(() => void load(), lookMs);
    return () => clearInterval(timer);
  }, [load, isOpen]);
  const revoke = async ({ id, name }: Token): Promise<void> => {
    await api.send('DELETE', `/api/v1/tokens/${encodeURIComponent(id)}`);
    setLeaving(undefined);
    tell(`${name} is revoked`);
    await load();
  };
  return (
    <section class="card" aria-labelledby="tokens-title">
      <div class="card-head">
        <h2 id="tokens-title">Tokens</h2>
        <button type="button" class="button" onClick={() => setMaking(true)}>
          <Icon name="plus" /> New token
        </button>
      </div>
      {tokens?.length === 0 && <p class="muted absent">There are no tokens.</p>}
      {tokens !== undefined && tokens.length > 0 && <TokenTable tokens={tokens} onRevoke={setLeaving} />}
      {isMaking && (
        <NewToken
          api={api}
          onClose={() => setMaking(false)}
          onMade={(token) => {
            setMaking(false);
            setMade(token);
            void load();
          }}
        />
      )}
      {made !== undefined && <Secret token={made} tell={tell} onClose={() => setMade(undefined)} />}
      {leaving !== undefined && (
        <Confirm
          title={`Revoke ${leaving.name}?`}
          text={`Agents that use ${leaving.id} are disconnected within a second and cannot come back with it.`}
          action="Revoke"
          work={() => revoke(leaving)}
          onClose={() => setLeaving(undefined)}
        />
      )}
    </section>
  );
}

function TokenTable({ tokens, onRevoke }: { tokens: readonly Token[]; onRevoke: (token: Token) => void }) {
  return (
    <table class="table">
      <thead>
        <tr>
          <th>Name</th>
          <th>Id</th>
          <th>Endpoints</th>
          <th>Made</th>
          <th>Ends</th>
          <th>
            <span class="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {tokens.map((token) => (
          <tr key={token.id}>
            <th scope="row">{token.name}</th>
            <td data-label="Id" class="mono">
              {token.id}
            </td>
            <td data-label="Endpoints" class="mono">
              {token.endpoints.join(', ')}
            </td>
            <td data-label="Made">{dayText(token.createdAt)}</td>
            <td data-label="Ends">
              {token.expired ? (
                <span class="badge bad">expired</span>
              ) : token.expiresAt === undefined ? (
                'never'
              ) : (
                dayText(token.expiresAt)
              )}
            </td>
            <td class="row-actions">
              <button
                type="button"
                class="button danger"
                aria-label={`Revoke ${token.name}, ${token.id}`}
                onClick={() => onRevoke(token)}
              >
                Revoke
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface NewTokenProps {
  readonly api: Api;
  readonly onMade: (token: CreatedToken) => void;
  readonly onClose: () => void;
}

function NewToken({ api, onMade, onClose }: NewTokenProps) {
  const [name, setName] = useState('');
  const [endpoints, setEndpoints] = useState('*');
  const [days, setDays] = useState(0);
  const make = async (): Promise<void> => {
    const expiresAt = days === 0 ? {} : { expiresAt: new Date(Date.now() + days * dayMs).toISOString() };
    const patterns = endpoints.split(/[\s,]+/).filter((pattern) => pattern !== '');
    onMade(await api.send<CreatedToken>('POST', '/api/v1/tokens', { name, endpoints: patterns, ...expiresAt }));
  };
  return (
    <FormDialog title="New token" isNarrow action="Create" work={make} onClose={onClose}>
      <label class="field">
        Name
        <input
          class="input"
          value={name}
          required
          maxLength={100}
          placeholder="ci"
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
      </label>
      <label class="field">
        Endpoints it may serve
        <input
          class="input mono"
          value={endpoints}
          required
          onInput={({ currentTarget }) => setEndpoints(currentTarget.value)}
        />
        <span class="hint">A host, *.example.com, or * for all; several with commas.</span>
      </label>
      <label class="field">
        Ends
        <select class="input" value={days} onChange={({ currentTarget }) => setDays(Number(currentTarget.value))}>
          {lifetimes.map(([label, value]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
    </FormDialog>
  );
}

interface SecretProps {
  readonly token: CreatedToken;
  readonly tell: (text: string) => void;
  readonly onClose: () => void;
}

function Secret({ token, tell, onClose }: SecretProps) {
  return (
    <Dialog title={`Token ${token.name}`} isNarrow onClose={onClose}>
      <p class="muted">
        This is the only time it is shown. On the agent's machine, put it into GIRAFFE_TOKEN or a file.
      </p>
      <p class="secret mono">{token.token}</p>
      <div class="dialog-actions">
        <button
          type="button"
          class="button primary"
          onClick={() => void copyText(token.token).then((isCopied) => tell(isCopied ? 'Copied' : 'Not copied'))}
        >
          <Icon name="copy" /> Copy
        </button>
      </div>
    </Dialog>
  );
}

function dayText(instant: string): string {
  return new Date(instant).toLocaleDateString(undefined, { dateStyle: 'medium' });
}
