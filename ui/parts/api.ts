/** Asks the API behind a page, and turns what it refuses into errors that people can read. */

/** What the API said instead of doing it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 when nothing answered. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** One way to the API. */
export interface Api {
  get<T>(path: string, signal?: AbortSignal): Promise<T>;
  /** Sends JSON; resolves with JSON, or undefined when there is none. */
  send<T>(method: 'POST' | 'DELETE' | 'PUT' | 'PATCH', path: string, body?: unknown): Promise<T>;
  /** Opens a stream; the caller reads its body. */
  open(path: string, signal: AbortSignal): Promise<Response>;
}

/** @param token Credentials, asked for each time; undefined for none. */
export function createApi(token: () => string | undefined = () => undefined): Api {
  const call = async (path: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    const credentials = token();
    if (credentials !== undefined) headers.set('Authorization', `Bearer ${credentials}`);
    const response = await fetch(path, { ...init, headers }).catch((error: unknown) => {
      if (init.signal?.aborted === true) throw error;
      throw new ApiError(0, 'giraffe does not answer; is it still running?');
    });
    if (!response.ok) throw await problemOf(response);
    return response;
  };
  return {
    get: async <T>(path: string, signal?: AbortSignal) =>
      (await (await call(path, signal === undefined ? {} : { signal })).json()) as T,
    send: async <T>(method: string, path: string, body?: unknown) => {
      const json = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await call(path, { method, headers: { 'Content-Type': 'application/json' }, ...json });
      const text = await response.text();
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
    open: (path, signal) => call(path, { signal, headers: { Accept: 'text/event-stream' } }),
  };
}

async function problemOf(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => ({}))) as { title?: string; detail?: string };
  const text = problem.detail ?? problem.title ?? `${response.status} ${response.statusText}`;
  return new ApiError(response.status, text);
}

/** What to show for something that was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
