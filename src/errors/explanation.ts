/** Says in words what the table of codes says: for `giraffe explain` and for the reference page, so that they agree. */
import type { CodeEntry } from './code-entry.ts';
import { codes, type ErrorCode } from './codes.ts';

/** One thing to know about a code. */
export interface Fact {
  readonly label: string;
  readonly text: string;
}

const retries: Readonly<Record<CodeEntry['retry'], string>> = {
  never: 'no',
  unsent: 'if the origin cannot have seen the request',
  idempotent: 'if the method is idempotent',
};

/** Returns what there is to know about a code besides its summary, the next step first. */
export function codeFacts(code: ErrorCode): readonly Fact[] {
  const { fix, side, status, proxyStatus, retry, exit }: CodeEntry = codes[code];
  return [
    { label: 'Next step', text: fix },
    { label: 'Whose side', text: side },
    { label: 'HTTP status', text: String(status) },
    { label: 'Proxy-Status error', text: proxyStatus },
    { label: 'Sent again to another agent', text: retries[retry] },
    { label: 'Exit status of a command', text: String(exit) },
  ];
}
