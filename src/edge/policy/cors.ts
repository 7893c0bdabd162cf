/**
 * Decides about requests of pages from elsewhere: refuses foreign ones, answers preflights, and writes the fields by which
 * a browser lets a page read an answer.
 *
 * @see Fetch Standard section 3.3 (CORS protocol)
 */
import { type BrowserOrigin, browserOrigin, createOriginTest, isPreflight } from '../../http/browser-origin.ts';
import { type FieldLine, type FieldLines, fieldValues } from '../../http/field-line.ts';
import type { CorsRule } from '../../protocol/tunnel-policy.ts';

/** What is done with a request by reason of its Origin. */
export type CorsVerdict =
  | { readonly kind: 'pass'; readonly origin: string | undefined }
  | { readonly kind: 'foreign'; readonly origin: string }
  /** The request is a preflight, and these fields answer it. */
  | { readonly kind: 'preflight'; readonly fields: FieldLines };

const pass: CorsVerdict = { kind: 'pass', origin: undefined };

/** The rules of one endpoint about pages from elsewhere. */
export class CrossOriginGate {
  readonly #tests: readonly ((origin: string) => boolean)[];
  /** Whether anybody's page may call: it then never gets an answer made for the person behind it. */
  readonly #isOpen: boolean;
  readonly #cors: CorsRule | undefined;

  /** @param allowed Lists of patterns; an origin must be in each. None lets every origin in. */
  constructor(allowed: readonly (readonly string[])[], cors: CorsRule | undefined) {
    this.#tests = allowed.map(createOriginTest);
    this.#isOpen = allowed.every((patterns) => patterns.includes('*'));
    this.#cors = cors;
  }

  judge(method: string, fields: FieldLines): CorsVerdict {
    const page = browserOrigin(fields);
    if (page.kind === 'none') return pass;
    if (!this.#isAllowed(page)) return { kind: 'foreign', origin: page.origin };
    if (this.#cors === undefined) return pass;
    if (!isPreflight(method, fields)) return { kind: 'pass', origin: page.origin };
    return { kind: 'preflight', fields: this.#preflightFields(this.#cors, page.origin, fields) };
  }

  /**
   * Returns the response fields for the page at `origin`, with the origin server's own word about CORS taken out. Without
   * a page, too, caches have to know that the answer depends on it.
   */
  responseFields(fields: FieldLines, origin: string | undefined): FieldLines {
    const cors = this.#cors;
    if (cors === undefined) return fields;
    if (origin === undefined) return [...fields, vary];
    const exposed = cors.exposedHeaders.join(', ');
    return [
      ...fields.filter(([name]) => !name.toLowerCase().startsWith('access-control-')),
      ...this.#sharingFields(cors, origin),
      ...(exposed === '' ? [] : [['Access-Control-Expose-Headers', exposed] as const]),
    ];
  }

  #isAllowed(page: Exclude<BrowserOrigin, { kind: 'none' }>): boolean {
    return page.kind === 'same' || this.#tests.every((isListed) => isListed(page.origin));
  }

  #preflightFields(cors: CorsRule, origin: string, fields: FieldLines): FieldLines {
    // A `*` is no wildcard for requests with credentials, so what is asked for is named instead.
    const asked = fieldValues(fields, 'access-control-request-headers').join(', ');
    const headers = cors.headers.includes('*') ? asked : cors.headers.join(', ');
    return [
      ...this.#sharingFields(cors, origin),
      ['Access-Control-Allow-Methods', cors.methods.join(', ')],
      ...(headers === '' ? [] : [['Access-Control-Allow-Headers', headers] as const]),
      ['Access-Control-Max-Age', String(cors.maxAgeSeconds)],
    ];
  }

  #sharingFields(cors: CorsRule, origin: string): FieldLine[] {
    const fields: FieldLine[] = [['Access-Control-Allow-Origin', origin], vary];
    if (cors.credentials && !this.#isOpen) fields.push(['Access-Control-Allow-Credentials', 'true']);
    return fields;
  }
}

const vary: FieldLine = ['Vary', 'Origin'];
