/** The requests beside the details, with what narrows them down. */
import type { Ref } from 'preact';
import type { ExchangeSummary } from '../../src/inspector/exchange-view.ts';
import { Icon } from '../parts/icon.tsx';
import { Segments } from '../parts/segments.tsx';
import { ExchangeList } from './exchange-list.tsx';
import { type Kind, kinds } from './filter.ts';

/** What the pane shows. */
export interface ListPaneProps {
  readonly exchanges: readonly ExchangeSummary[];
  /** Those that the search lets through. */
  readonly shown: readonly ExchangeSummary[];
  readonly searchField: Ref<HTMLInputElement>;
  readonly search: string;
  readonly onSearch: (text: string) => void;
  readonly kind: Kind;
  readonly onKind: (kind: Kind) => void;
  readonly selectedId: string | undefined;
  readonly onSelect: (id: string) => void;
}

/** The pane. */
export function ListPane(props: ListPaneProps) {
  const { exchanges, shown, searchField, search, onSearch, kind, onKind, selectedId, onSelect } = props;
  return (
    <section class="list-pane" aria-label="Requests">
      <search class="search">
        <label class="search-field">
          <span class="visually-hidden">Search</span>
          <Icon name="search" />
          <input
            ref={searchField}
            class="input"
            type="search"
            placeholder="Search, or status:5xx"
            value={search}
            onInput={({ currentTarget }) => onSearch(currentTarget.value)}
          />
        </label>
        <kbd class="search-key" title="Press / to search">
          /
        </kbd>
        <Segments legend="Show" choices={kinds} chosen={kind} onChoose={onKind}>
          <span class="search-count muted" role="status">
            {shown.length === exchanges.length ? exchanges.length : `${shown.length} of ${exchanges.length}`}
          </span>
        </Segments>
      </search>
      {shown.length === 0 && <p class="muted body-absent">Nothing matches.</p>}
      <ExchangeList
        // What is searched for anew begins at the top.
        key={`${kind} ${search}`}
        exchanges={shown}
        selectedId={selectedId}
        showsHost={new Set(exchanges.map(({ endpoint }) => endpoint)).size > 1}
        onSelect={onSelect}
      />
    </section>
  );
}
