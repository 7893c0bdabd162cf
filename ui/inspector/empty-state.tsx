/** What the page says while there is nothing to see. */
import { useEffect, useState } from 'preact/hooks';
import type { Api } from '../parts/api.ts';
import { copyText } from '../parts/copy.ts';
import mark from '../parts/giraffe.svg';
import { Icon } from '../parts/icon.tsx';

/** A tunnel as the local API tells it. */
interface Tunnel {
  readonly name: string;
  readonly public_url: string;
  readonly config: { readonly addr: string };
}

/** Returns the agent's tunnels; none before they are open. */
export function useTunnels(api: Api, isOpen: boolean | undefined): readonly Tunnel[] {
  const [tunnels, setTunnels] = useState<readonly Tunnel[]>([]);
  useEffect(() => {
    if (isOpen !== true) return undefined;
    const end = new AbortController();
    const ask = (): void => {
      api.get<{ tunnels: Tunnel[] }>('/api/tunnels', end.signal).then(
        (answer) => setTunnels(answer.tunnels),
        () => undefined,
      );
    };
    ask();
    const timer = setInterval(ask, 3000);
    return () => {
      clearInterval(timer);
      end.abort();
    };
  }, [api, isOpen]);
  return tunnels;
}

/** Where to send the first request. */
export function EmptyState({
  tunnels,
  onCopied,
}: {
  readonly tunnels: readonly Tunnel[];
  readonly onCopied: () => void;
}) {
  return (
    <section class="empty">
      <img src={mark} alt="" />
      <h2>Waiting for the first request</h2>
      <p class="muted">Everything that comes through the tunnel appears here at once.</p>
      <ul>
        {tunnels.map(({ public_url: url, config }) => (
          <li key={url}>
            <a href={url} target="_blank" rel="noreferrer" class="mono">
              {url}
            </a>
            <span class="muted mono">→ {config.addr}</span>
            <button
              type="button"
              class="button plain square"
              aria-label={`Copy ${url}`}
              onClick={() => void copyText(url).then((isCopied) => isCopied && onCopied())}
            >
              <Icon name="copy" />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
