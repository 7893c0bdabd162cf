/** Says what went wrong where it did; read out when it appears. */
import { Icon } from './icon.tsx';

/** Nothing while there is no `text`. */
export function ErrorNotice({ text }: { readonly text: string | undefined }) {
  if (text === undefined) return null;
  return (
    <p class="notice bad" role="alert">
      <Icon name="warning" />
      {text}
    </p>
  );
}
