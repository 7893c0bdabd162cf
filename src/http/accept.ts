/**
 * Chooses the form of a failure response by what the client accepts.
 */

/** Forms in which giraffe can tell about a failure. */
export type FailureForm = 'html' | 'json' | 'text';

/**
 * Returns the form that a client asks for.
 *
 * Only media types that it names count, the best quality first and, among equals, html before json before text:
 * browsers name text/html, programs that want JSON name it. Wildcards, as curl sends them, and no Accept get text.
 *
 * @param accept Value of Accept, its lines joined with commas.
 * @see RFC 9110 section 12.5.1 (Accept)
 */
export function failureForm(accept: string | undefined): FailureForm {
  const best = { html: 0, json: 0, text: 0 };
  for (const member of (accept ?? '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = member.split(';').map((part) => part.trim());
    const form = formOf(type);
    if (form !== undefined) best[form] = Math.max(best[form], quality(parameters));
  }
  if (0 < best.html && best.json <= best.html && best.text <= best.html) return 'html';
  return 0 < best.json && best.text <= best.json ? 'json' : 'text';
}

function formOf(mediaType: string): FailureForm | undefined {
  if (mediaType === 'text/html' || mediaType === 'application/xhtml+xml') return 'html';
  if (mediaType === 'text/plain') return 'text';
  return /^application\/(?:json|[^/]+\+json)$/.test(mediaType) ? 'json' : undefined;
}

/** Returns the weight among the parameters: 0 to 1, and 1 when there is none or it is broken. */
function quality(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  return weight !== undefined && /^(?:0(?:\.[0-9]*)?|1(?:\.0*)?)$/.test(weight) ? Number(weight) : 1;
}
