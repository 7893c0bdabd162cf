/** Reads stdin to its end, as far as anything that comes from there may go. */

/** Octets after which no more is read: a token has 8,192 at most, a password 1,024. What is longer is neither. */
const enoughBytes = 16 * 1024;

/** Returns a function that reads stdin when it is first called, and returns the same text ever after. */
export function stdinReader(): () => Promise<string> {
  let text: Promise<string> | undefined;
  return () => {
    text ??= readText(process.stdin);
    return text;
  };
}

/** Returns the text of a stream. */
export async function readText(stream: AsyncIterable<Buffer | string>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes > enoughBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
