/** The keys and the words of the search. */
import { Dialog } from '../parts/dialog.tsx';

const keys = [
  ['j', 'k', 'next, previous request'],
  ['Enter', undefined, 'show its details'],
  ['Esc', undefined, 'back to the list'],
  ['/', undefined, 'search'],
  ['r', undefined, 'replay'],
  ['e', undefined, 'edit and replay'],
  ['c', undefined, 'copy as curl'],
  ['?', undefined, 'this help'],
] as const;

const words = [
  ['login post', 'both words, anywhere'],
  ['status:5xx', 'a class of answers, those of the edge included'],
  ['method:post', 'also path:, host:, type:, code:'],
  ['-path:/assets', 'not these'],
] as const;

/** The help. */
export function HelpDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keys and search" isNarrow onClose={onClose}>
      <dl class="help">
        {keys.map(([key, other, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd> {other !== undefined && <kbd>{other}</kbd>}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <dl class="help">
        {words.map(([word, meaning]) => (
          <div key={word}>
            <dt>
              <code>{word}</code>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
