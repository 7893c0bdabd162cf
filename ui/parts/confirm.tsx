/** Asks before something that cannot be taken back. */
import { Dialog } from './dialog.tsx';

/** What is asked. */
export interface ConfirmProps {
  readonly title: string;
  /** What will happen. */
  readonly text: string;
  /** What the button says. */
  readonly action: string;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** The question. */
export function Confirm({ title, text, action, onConfirm, onClose }: ConfirmProps) {
  return (
    <Dialog title={title} isNarrow onClose={onClose} onSubmit={onConfirm}>
      <p class="muted">{text}</p>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" class="button danger">
          {action}
        </button>
      </div>
    </Dialog>
  );
}
