/** A modal dialog: the browser's own, which keeps the focus inside and closes on Escape. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Icon } from './icon.tsx';

/** What a dialog shows. */
export interface DialogProps {
  readonly title: string;
  readonly isNarrow?: boolean;
  readonly onClose: () => void;
  /** Selects what has the focus at first; by default the first field, or the button that does it. */
  readonly first?: string;
  /** With it the dialog is a form. */
  readonly onSubmit?: () => void;
  readonly children: ComponentChildren;
}

const firstField = 'input, textarea, [type=submit]';

/** Open for as long as it is rendered. */
export function Dialog({ title, isNarrow = false, first = firstField, onClose, onSubmit, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    dialog.current?.showModal();
    // The browser would choose the button that closes it.
    dialog.current?.querySelector<HTMLElement>(first)?.focus();
  }, []);
  const content = (
    <>
      <div class="dialog-head">
        <h2 id={titleId}>{title}</h2>
        <button type="button" class="button plain square" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      {children}
    </>
  );
  return (
    <dialog ref={dialog} class={`dialog ${isNarrow ? 'narrow' : ''}`} aria-labelledby={titleId} onClose={onClose}>
      {onSubmit === undefined ? (
        <div>{content}</div>
      ) : (
        <form
          method="dialog"
          onSubmit={(event) => {
            event.preventDefault();
            onSubmit();
          }}
        >
          {content}
        </form>
      )}
    </dialog>
  );
}
