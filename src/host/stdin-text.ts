/** Reads stdin to its end. */

/** Returns a function that reads stdin when it is first called, and returns the same text ever after. */
export function stdinReader(stdin: NodeJS.ReadStream = process.stdin): () => Promise<string> {
  let text: Promise<string> | undefined;
  return () => {
    text ??= read(stdin);
    return text;
  };
}

async function read(stdin: NodeJS.ReadStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
