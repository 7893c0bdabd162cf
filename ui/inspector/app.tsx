/** Puts the inspector together: list, search, details, and the keys. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { curlCommand } from '../../src/inspector/curl-command.ts';
import { createApi, errorText } from '../parts/api.ts';
import { Confirm } from '../parts/confirm.tsx';
import { copyText } from '../parts/copy.ts';
import { Icon } from '../parts/icon.tsx';
import { useToasts } from '../parts/toasts.tsx';
import { EmptyState, useTunnels } from './empty-state.tsx';
import { ExchangeDetails } from './exchange-details.tsx';
import { filtered, type Kind } from './filter.ts';
import { HelpDialog } from './help-dialog.tsx';
import { useKeys } from './keys.ts';
import { ListPane } from './list-pane.tsx';
import { useLiveList } from './live-list.ts';
import { ReplayDialog } from './replay-dialog.tsx';
import { TopBar } from './top-bar.tsx';
import { useDetail } from './use-detail.ts';

const api = createApi();

/** Focuses what is not there yet: a narrow window shows the list or the details. */
function focusSoon(selector: string): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>(selector)?.focus());
}

/** The page. */
export function App() {
  const { exchanges, isOpen } = useLiveList(api);
  const tunnels = useTunnels(api, isOpen);
  const [search, setSearch] = useState('');
  const [kind, setKind] = useState<Kind>('all');
  const [selectedId, select] = useState<string | undefined>(location.hash.slice(1) || undefined);
  const [isShown, show] = useState(selectedId !== undefined);
  const [showsSecrets, showSecrets] = useState(false);
  const [dialog, setDialog] = useState<'help' | 'edit' | 'clear' | undefined>(undefined);
  const searchField = useRef<HTMLInputElement>(null);
  const toasts = useToasts();

  const shown = filtered(exchanges, search, kind);
  const selected = exchanges.find(({ id }) => id === selectedId);
  const detail = useDetail(api, selected, showsSecrets);

  useEffect(
    () => history.replaceState(null, '', selectedId === undefined ? location.pathname : `#${selectedId}`),
    [selectedId],
  );
  useEffect(() => {
    document.title = exchanges.length === 0 ? 'giraffe inspector' : `(${exchanges.length}) giraffe inspector`;
  }, [exchanges.length]);

  const open = useCallback((id: string): void => {
    select(id);
    show(true);
  }, []);
  const move = (step: number): void => {
    const at = shown.findIndex(({ id }) => id === selectedId);
    const next = shown[at === -1 ? 0 : Math.max(0, Math.min(shown.length - 1, at + step))];
    if (next !== undefined) select(next.id);
  };
  const leave = (): void => {
    show(false);
    focusSoon('.exchange[tabindex="0"]');
  };
  const replay = async (): Promise<void> => {
    if (selected === undefined) return;
    try {
      const { id } = await api.send<{ id: string }>('POST', `/api/v1/requests/${selected.id}/replay`, {});
      toasts.show('Sent again');
      open(id);
    } catch (error) {
      toasts.show(errorText(error));
    }
  };
  const copyCurl = async (): Promise<void> => {
    if (detail === undefined) return;
    const isCopied = await copyText(curlCommand(detail));
    toasts.show(!isCopied ? 'The browser does not allow it' : detail.isMasked ? 'Copied, secrets masked' : 'Copied');
  };
  const clear = async (): Promise<void> => {
    await api.send('DELETE', '/api/v1/requests');
    setDialog(undefined);
    select(undefined);
    show(false);
  };
  /** A dialog that closes late must not close the next one. */
  const closing = (name: typeof dialog) => () => setDialog((now) => (now === name ? undefined : now));
  const isReplayable = detail !== undefined && detail.upgrade === undefined;

  useKeys({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => {
      if (selected !== undefined) show(true);
      focusSoon('.details [role=tab][aria-selected=true]');
    },
    Escape: leave,
    '/': () => searchField.current?.focus(),
    r: () => isReplayable && void replay(),
    e: () => isReplayable && setDialog('edit'),
    c: () => void copyCurl(),
    '?': () => setDialog('help'),
  });

  return (
    <div class={`page ${isShown && selected !== undefined ? 'shows-details' : ''}`}>
      <TopBar
        isOpen={isOpen}
        isEmpty={exchanges.length === 0}
        onClear={() => setDialog('clear')}
        onHelp={() => setDialog('help')}
      />
      {isOpen === false && (
        <p class="notice bad offline" role="alert">
          <Icon name="plug" />
          The agent does not answer. This page comes back by itself when it does.
        </p>
      )}
      {exchanges.length === 0 ? (
        <main class="alone">
          <EmptyState tunnels={tunnels} onCopied={() => toasts.show('Copied')} />
        </main>
      ) : (
        <main class="panes">
          <ListPane
            exchanges={exchanges}
            shown={shown}
            searchField={searchField}
            search={search}
            onSearch={setSearch}
            kind={kind}
            onKind={setKind}
            selectedId={selectedId}
            onSelect={open}
          />
          <section class="details-pane" aria-label="Details">
            {detail === undefined ? (
              <p class="muted choose">
                {selectedId !== undefined && selected === undefined
                  ? 'That request is no longer kept.'
                  : 'Choose a request to see what passed.'}
              </p>
            ) : (
              <ExchangeDetails
                key={`${detail.id}${detail.messageCount === undefined ? '' : '-ws'}`}
                api={api}
                exchange={detail}
                onReplay={() => void replay()}
                onEdit={() => setDialog('edit')}
                onCopyCurl={() => void copyCurl()}
                onToggleSecrets={() => showSecrets(!showsSecrets)}
                onSelect={open}
                onBack={leave}
              />
            )}
          </section>
        </main>
      )}
      {dialog === 'help' && <HelpDialog onClose={closing('help')} />}
      {dialog === 'edit' && detail !== undefined && (
        <ReplayDialog
          api={api}
          exchange={detail}
          onClose={closing('edit')}
          onSent={(id) => {
            setDialog(undefined);
            toasts.show('Sent');
            open(id);
          }}
        />
      )}
      {dialog === 'clear' && (
        <Confirm
          title="Delete all requests?"
          text={`What is kept of ${exchanges.length} requests is forgotten. The tunnel goes on.`}
          action="Delete"
          work={clear}
          onClose={closing('clear')}
        />
      )}
      {toasts.place}
    </div>
  );
}
