/** Asks before something that cannot be taken back. */
import { FormDialog, type FormDialogProps } from './form-dialog.tsx';

/** What is asked. */
export interface ConfirmProps extends Pick<FormDialogProps, 'title' | 'action' | 'work' | 'onClose'> {
  /** What will happen. */
  readonly text: string;
}

/** The question. */
export function Confirm({ text, ...rest }: ConfirmProps) {
  return (
    <FormDialog {...rest} isNarrow isDangerous>
      <p class="muted">{text}</p>
    </FormDialog>
  );
}
