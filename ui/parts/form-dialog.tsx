/** A dialog that does something: it stays until that has worked, and says why it has not. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { errorText } from './api.ts';
import { Dialog } from './dialog.tsx';
import { ErrorNotice } from './error-notice.tsx';
import { Icon, type IconName } from './icon.tsx';

/** What is asked, and what is done. */
export interface FormDialogProps {
  readonly title: string;
  readonly isNarrow?: boolean;
  /** What the button says. */
  readonly action: string;
  readonly icon?: IconName;
  /** What it does cannot be taken back; a key that is held down does not do it. */
  readonly isDangerous?: boolean;
  /** Does it; whoever renders the dialog takes it away then. What it throws is shown. */
  readonly work: () => Promise<void>;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** The form, with the buttons at its end. */
export function FormDialog(props: FormDialogProps) {
  const { title, isNarrow = false, action, icon, isDangerous = false, work, onClose, children } = props;
  const [error, setError] = useState<string | undefined>(undefined);
  const [isWorking, setWorking] = useState(false);
  const submit = async (): Promise<void> => {
    setWorking(true);
    try {
      await work();
    } catch (failure) {
      setError(errorText(failure));
      setWorking(false);
    }
  };
  return (
    <Dialog
      title={title}
      isNarrow={isNarrow}
      {...(isDangerous ? { first: '.dialog-actions [type=button]' } : {})}
      onClose={onClose}
      onSubmit={() => void submit()}
    >
      {children}
      <ErrorNotice text={error} />
      <div class="dialog-actions">
        <button type="button" class="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" class={`button ${isDangerous ? 'danger' : 'primary'}`} disabled={isWorking}>
          {icon !== undefined && <Icon name={icon} />}
          {action}
        </button>
      </div>
    </Dialog>
  );
}
