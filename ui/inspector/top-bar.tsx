/** The head of the page: whether it is live, and what concerns all requests. */
import { Brand } from '../parts/brand.tsx';
import { ConnectionBadge } from '../parts/connection-badge.tsx';
import { Icon } from '../parts/icon.tsx';

/** What the bar shows, and what its buttons do. */
export interface TopBarProps {
  /** Whether the agent answers; undefined before it was asked. */
  readonly isOpen: boolean | undefined;
  readonly isEmpty: boolean;
  readonly onClear: () => void;
  readonly onHelp: () => void;
}

/** The bar. */
export function TopBar({ isOpen, isEmpty, onClear, onHelp }: TopBarProps) {
  return (
    <header class="top-bar">
      <Brand page="inspector" />
      <ConnectionBadge isOpen={isOpen} />
      <span class="spacer" />
      <a class="button plain" href="/api/v1/requests.har" download="giraffe.har" aria-label="Export all as HAR">
        <Icon name="download" /> <span class="wide-only">Export HAR</span>
      </a>
      <button type="button" class="button plain" aria-label="Delete all" disabled={isEmpty} onClick={onClear}>
        <Icon name="trash" /> <span class="wide-only">Clear</span>
      </button>
      <button type="button" class="button plain square" aria-label="Keys and search" onClick={onHelp}>
        <Icon name="help" />
      </button>
    </header>
  );
}
