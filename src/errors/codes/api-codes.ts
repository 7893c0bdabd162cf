/** Codes of the management API, and of commands that ask it. Part of the one table, ../codes.ts. */
import { type CodeEntry, entry } from '../code-entry.ts';

export const apiCodes = {
  GIR_ERR_API_HOST: entry(
    421,
    'http_request_denied',
    'client',
    'The management API does not answer under this host name.',
    "Use localhost, an IP address, the edge's base domain, or the name given by --public-host.",
  ),
  GIR_ERR_API_TOKEN: entry(
    401,
    'http_request_denied',
    'client',
    'The management API needs its admin token.',
    'Send the content of the file admin-token in the state folder of the edge: Authorization: Bearer, or GIRAFFE_ADMIN_TOKEN.',
    { exit: 7 },
  ),
  GIR_ERR_API_PATH: entry(
    404,
    'http_request_error',
    'client',
    'The management API has no such path for this method.',
    'Check the path and the method; GET /readyz always works.',
  ),
  GIR_ERR_API_BODY: entry(
    400,
    'http_request_error',
    'client',
    'The body of the request to the API is not what this path takes.',
    'Send what the detail says, as application/json.',
  ),
  GIR_ERR_API_BODY_TOO_LARGE: entry(
    413,
    'http_request_error',
    'client',
    'The body of the request to the API is too large.',
    'Send less: the API of an edge takes 64 KiB, the local API of an agent 24 MiB.',
  ),
  GIR_ERR_REPLAY_REFUSED: entry(
    409,
    'http_request_denied',
    'agent',
    'This exchange cannot be sent again.',
    'The detail says why; copy it as curl and change what is needed.',
  ),

  GIR_ERR_API_ORIGIN: entry(
    403,
    'http_request_denied',
    'client',
    'A web page of another origin may change nothing here.',
    'Use the pages that this address serves itself, or a program such as curl.',
  ),

  GIR_ERR_API_UNREACHABLE: entry(
    502,
    'destination_unavailable',
    'edge',
    'The management API of the edge cannot be reached.',
    'Check --api or GIRAFFE_API, and that the edge runs; its API is on loopback unless --api-host says otherwise.',
    { exit: 6 },
  ),
  GIR_ERR_NOTHING_RUNS: entry(
    503,
    'destination_unavailable',
    'edge',
    'Neither an edge nor an agent answers here.',
    'Start `giraffe server start` or `giraffe tunnel`, or name the API of an edge with --api or GIRAFFE_API.',
    { exit: 6 },
  ),
} satisfies Record<string, CodeEntry>;
