/**
 * The one table of everything that can go wrong.
 *
 * A code is stable and never reused. It decides the HTTP status and the
 * Proxy-Status error (RFC 9209 section 2.3) a client sees, the exit status of a
 * command, whether the edge may try another session, and what to do next.
 */

/** Which party caused a failure, as told to the person who has to mend it. */
export type Side = 'client' | 'edge' | 'tunnel' | 'agent' | 'origin';

/**
 * Whether the edge may send the same request again on another session:
 * `never`; `unsent`, when the origin cannot have seen it; `idempotent`, when it
 * may have, so that only an idempotent method qualifies (RFC 9110 section 9.2.2).
 */
export type RetryRule = 'never' | 'unsent' | 'idempotent';

/** What one code means everywhere it can appear. */
export interface CodeEntry {
  /** HTTP status sent to the client. */
  readonly status: number;
  /** Value of the `error` parameter of Proxy-Status (RFC 9209 section 2.3). */
  readonly proxyStatus: string;
  /** Exit status when a command ends with this code. */
  readonly exit: number;
  readonly side: Side;
  readonly retry: RetryRule;
  /** One sentence for the client: what happened, without any inner address. */
  readonly summary: string;
  /** The next step for the person who reads it. */
  readonly fix: string;
}

function entry(
  status: number,
  proxyStatus: string,
  side: Side,
  summary: string,
  fix: string,
  rest: { exit?: number; retry?: RetryRule } = {},
): CodeEntry {
  return { status, proxyStatus, side, summary, fix, exit: rest.exit ?? 1, retry: rest.retry ?? 'never' };
}

/** Every code giraffe can report. */
export const codes = {
  // The client's request.
  GIR_ERR_REQUEST_INVALID: entry(
    400,
    'http_request_error',
    'client',
    'The request is not valid HTTP/1.1.',
    'Send a request that follows RFC 9112; the detail names the rule that was broken.',
  ),
  GIR_ERR_REQUEST_HEADERS_TOO_LARGE: entry(
    431,
    'http_request_error',
    'client',
    'The header section of the request is too large.',
    'Send fewer or shorter header fields and cookies, or raise --max-header-size at the edge.',
  ),
  GIR_ERR_REQUEST_TIMEOUT: entry(
    408,
    'http_request_error',
    'client',
    'The request did not arrive in time.',
    'Send the request head, and then the body, without long pauses.',
  ),
  GIR_ERR_CLIENT_IDLE: entry(
    408,
    'http_request_error',
    'client',
    'A connection without a request was kept for as long as it may be, and closed without a word.',
    'Nothing to mend: clients open another one. A proxy in front should give up idle connections sooner than the edge.',
  ),
  GIR_ERR_CLIENT_STALLED: entry(
    408,
    'http_request_error',
    'client',
    'The client took nothing of what was sent to it for too long, and was cut off.',
    'Look at the client; slow ones get more time from a higher --body-idle-timeout.',
  ),
  GIR_ERR_METHOD_UNSUPPORTED: entry(
    501,
    'http_request_error',
    'client',
    'The edge does not offer this method.',
    'CONNECT asks for a forward proxy; use an ordinary method or an Upgrade.',
  ),
  GIR_ERR_ENDPOINT_UNKNOWN: entry(
    404,
    'destination_not_found',
    'client',
    'No tunnel has this address.',
    'Check the host name, and that `giraffe tunnel --domain` names exactly this one.',
  ),
  GIR_ERR_AUTH_REQUIRED: entry(
    401,
    'http_request_error',
    'client',
    'This address is only for people who log in.',
    'Send the user name and password that its owner gave you.',
  ),
  GIR_ERR_AUTH_DENIED: entry(
    403,
    'http_request_denied',
    'client',
    'You may not use this address.',
    'Ask its owner for access.',
  ),
  GIR_ERR_AUTH_THROTTLED: entry(
    429,
    'http_request_error',
    'client',
    'Too many failed attempts to log in came from your address.',
    'Wait as long as Retry-After says, then use the right credentials.',
    { exit: 7 },
  ),
  GIR_ERR_RATE_LIMITED: entry(
    429,
    'http_request_error',
    'client',
    'There are more requests than the rate limit allows.',
    'Come again after the time in Retry-After; RateLimit-Policy tells the limit (rateLimit, clientRateLimit).',
  ),
  GIR_ERR_CLIENT_CONNECTION_LIMIT: entry(
    429,
    'connection_limit_reached',
    'client',
    'This client address has too many open connections.',
    'Use fewer connections, or raise server.maxConnectionsPerClient at the edge.',
  ),
  GIR_ERR_ADDRESS_DENIED: entry(
    403,
    'http_request_denied',
    'client',
    'This client address is not admitted.',
    'Look at allowAddresses and denyAddresses of the tunnel and of the edge.',
  ),
  GIR_ERR_FOREIGN_ORIGIN: entry(
    403,
    'http_request_denied',
    'client',
    'The request comes from a page of another origin, which is not allowed.',
    "Add the page's origin to allowedOrigins of the tunnel if it is yours.",
  ),
  GIR_ERR_REQUEST_BODY_TOO_LARGE: entry(
    413,
    'http_request_error',
    'client',
    'The body of the request is too large.',
    'Send less, or raise maxBodySize of the tunnel.',
  ),
  GIR_ERR_CLIENT_GONE: entry(
    499,
    'http_request_error',
    'client',
    'The client closed its connection before the answer was complete.',
    'Nothing to mend here: look at the client or at what made it impatient.',
  ),

  // The edge and the way to the agent.
  GIR_ERR_NO_UPSTREAM: entry(
    503,
    'destination_unavailable',
    'agent',
    'The tunnel is known, but no agent is connected.',
    'Start `giraffe tunnel` beside the service, or look at its log for why it is not connected.',
    { retry: 'unsent' },
  ),
  GIR_ERR_DRAINING: entry(
    503,
    'destination_unavailable',
    'edge',
    'This part of the tunnel is shutting down.',
    'Try again in a moment.',
    { retry: 'unsent' },
  ),
  GIR_ERR_STREAM_LIMIT: entry(
    503,
    'connection_limit_reached',
    'tunnel',
    'Too many requests are in flight in this tunnel.',
    'Try again later, or raise GRPC_MAX_CONCURRENT_STREAMS.',
    { retry: 'unsent' },
  ),
  GIR_ERR_CONNECTION_LIMIT: entry(
    503,
    'connection_limit_reached',
    'edge',
    'The edge has too many open connections.',
    'Try again later, or raise --max-connections and the limit on open files.',
  ),
  GIR_ERR_CONCURRENCY_LIMIT: entry(
    503,
    'connection_limit_reached',
    'tunnel',
    'This tunnel answers as many requests at once as it is allowed to.',
    'Try again later, or raise maxConcurrent of the tunnel.',
  ),
  GIR_ERR_WEBSOCKET_LIMIT: entry(
    503,
    'connection_limit_reached',
    'tunnel',
    'This tunnel has as many upgraded connections as it is allowed to.',
    'Try again later, or raise maxWebSockets of the tunnel.',
  ),
  GIR_ERR_BREAKER_OPEN: entry(
    503,
    'destination_unavailable',
    'origin',
    'The origin has failed too often and is spared for a while.',
    "Look at the origin's log; requests pass again when one of them succeeds after the time in Retry-After.",
  ),
  GIR_ERR_IDLE_TIMEOUT: entry(
    504,
    'connection_read_timeout',
    'origin',
    'Nothing moved in the exchange for as long as its tunnel allows.',
    'Send something now and then, or raise idleTimeout of the tunnel.',
  ),
  GIR_ERR_SESSION_LOST: entry(
    502,
    'connection_terminated',
    'tunnel',
    'The tunnel was lost while the request was in flight.',
    'Try again; if it persists, look at the network between the agent and the edge.',
    { retry: 'idempotent' },
  ),
  GIR_ERR_LOOP: entry(
    502,
    'proxy_loop_detected',
    'origin',
    'The request came back to the tunnel it had already passed.',
    "Point the tunnel's target at the service itself, not at the edge's public address.",
  ),

  // The origin, as the agent sees it.
  GIR_ERR_ORIGIN_REFUSED: entry(
    502,
    'connection_refused',
    'origin',
    'The origin refused the connection.',
    'Start the service, and check that it listens on the port given to `giraffe tunnel`.',
    { retry: 'unsent' },
  ),
  GIR_ERR_ORIGIN_DNS: entry(
    502,
    'dns_error',
    'origin',
    "The origin's name could not be resolved.",
    "Check the host name in the tunnel's target.",
    { retry: 'unsent' },
  ),
  GIR_ERR_ORIGIN_TLS: entry(
    502,
    'tls_protocol_error',
    'origin',
    'No TLS connection to the origin could be made.',
    'Use an http:// target if the service speaks plain HTTP; it must accept TLS 1.2 or newer otherwise.',
    { retry: 'unsent' },
  ),
  GIR_ERR_ORIGIN_CERTIFICATE: entry(
    502,
    'tls_certificate_error',
    'origin',
    'The certificate of the origin is not trusted.',
    'Pass its CA, or the certificate itself if it is self-signed, with --origin-ca; --origin-server-name if it is for another name.',
    { retry: 'unsent' },
  ),
  GIR_ERR_ORIGIN_CONNECT_TIMEOUT: entry(
    504,
    'connection_timeout',
    'origin',
    'The origin did not accept a connection in time.',
    'Check that the origin is running and that no firewall drops its packets.',
    { retry: 'unsent' },
  ),
  GIR_ERR_ORIGIN_CLOSED: entry(
    502,
    'connection_terminated',
    'origin',
    'The origin closed the connection before it answered.',
    "Look at the origin's log for a crash or a time-out of its own.",
  ),
  GIR_ERR_ORIGIN_PROTOCOL: entry(
    502,
    'http_protocol_error',
    'origin',
    'The origin answered with something that is not valid HTTP/1.1.',
    'Check that the target speaks HTTP/1.1, and https:// if it expects TLS.',
  ),
  GIR_ERR_RESPONSE_HEADERS_TOO_LARGE: entry(
    502,
    'http_response_header_section_size',
    'origin',
    "The header section of the origin's response is too large.",
    'Send fewer or shorter header fields and cookies from the origin.',
  ),
  GIR_ERR_RESPONSE_TIMEOUT: entry(
    504,
    'http_response_timeout',
    'origin',
    'The origin did not answer in time.',
    'Make the origin answer sooner, or raise GRPC_REQUEST_TIMEOUT at the edge.',
  ),
  GIR_ERR_RESPONSE_INCOMPLETE: entry(
    502,
    'http_response_incomplete',
    'origin',
    'The origin broke off its response.',
    "Look at the origin's log for a crash; the client sees a broken transfer.",
  ),
  GIR_ERR_ORIGIN_UNHEALTHY: entry(
    503,
    'destination_unavailable',
    'origin',
    "The origin's health check fails.",
    'Look at what the origin answers on the path of the health check.',
  ),
  GIR_ERR_UPGRADE_FAILED: entry(
    502,
    'http_upgrade_failed',
    'origin',
    'The origin switched protocols in a way that was not asked for.',
    'Check the Upgrade handling of the origin.',
  ),

  // Sessions and frames between edge and agent.
  GIR_ERR_PROTOCOL: entry(
    502,
    'proxy_internal_error',
    'tunnel',
    'The other end of the tunnel broke the tunnel protocol.',
    'Update edge and agent to the same release; report a bug if they are.',
  ),
  GIR_ERR_FLOW_CONTROL: entry(
    502,
    'proxy_internal_error',
    'tunnel',
    'The other end of the tunnel sent more than it was allowed to.',
    'Update edge and agent to the same release; report a bug if they are.',
  ),
  GIR_ERR_FRAME_TOO_LARGE: entry(
    502,
    'proxy_internal_error',
    'tunnel',
    'The other end of the tunnel sent a frame above the limit.',
    'Update edge and agent to the same release; report a bug if they are.',
  ),
  GIR_ERR_ENHANCE_CALM: entry(
    503,
    'connection_limit_reached',
    'tunnel',
    'The other end of the tunnel sends control frames faster than is reasonable.',
    'Update edge and agent to the same release; report a bug if they are.',
  ),
  GIR_ERR_PING_TIMEOUT: entry(
    502,
    'connection_timeout',
    'tunnel',
    'The other end of the tunnel stopped answering.',
    'Look at the network between agent and edge; the agent reconnects by itself.',
    { retry: 'idempotent', exit: 6 },
  ),
  GIR_ERR_CANCELLED: entry(
    499,
    'http_request_error',
    'client',
    'The exchange was given up before its end.',
    'Nothing to mend.',
  ),
  GIR_ERR_HANDSHAKE_TIMEOUT: entry(
    408,
    'connection_timeout',
    'tunnel',
    'The tunnel handshake did not finish in time.',
    'Look at the network between agent and edge.',
    { exit: 6 },
  ),
  GIR_ERR_CREDENTIALS_REFUSED: entry(
    401,
    'http_request_denied',
    'agent',
    'The edge refused the token or certificate.',
    'Pass a token that the edge knows, by GIRAFFE_TOKEN or --token-file; `giraffe token create` there makes one.',
    { exit: 7 },
  ),
  GIR_ERR_ENDPOINT_REFUSED: entry(
    403,
    'http_request_denied',
    'agent',
    'The token does not allow this endpoint.',
    'Ask for a token whose scope covers the domain, or pass another --domain.',
    { exit: 7 },
  ),
  GIR_ERR_DISCONNECTED: entry(
    503,
    'destination_unavailable',
    'edge',
    'The operator of the edge has disconnected this agent.',
    'Ask the operator; starting the agent again opens the tunnel again unless its token was revoked.',
    { retry: 'idempotent' },
  ),
  GIR_ERR_TICKET_REFUSED: entry(
    401,
    'http_request_denied',
    'tunnel',
    'The ticket for a second connection is unknown, used or too old.',
    'Nothing to do: the agent asks for another one.',
  ),
  GIR_ERR_SESSION_REPLACED: entry(
    409,
    'connection_terminated',
    'agent',
    'The same agent came back and took over this session.',
    'Nothing to do: the newer session serves.',
    { retry: 'idempotent' },
  ),
  GIR_ERR_PROTOCOL_VERSION: entry(
    426,
    'http_request_error',
    'agent',
    'Edge and agent speak different versions of the tunnel protocol.',
    'Update the older of the two; the message names both versions.',
    { exit: 8 },
  ),

  // The management API.
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

  // Commands and configuration.
  GIR_ERR_TOKEN_UNKNOWN: entry(
    404,
    'http_request_error',
    'edge',
    'There is no such token.',
    'Run `giraffe token list` to see ids and names.',
  ),
  GIR_ERR_AGENT_UNKNOWN: entry(
    404,
    'http_request_error',
    'agent',
    'There is no such running agent.',
    'Run `giraffe tunnel list` to see names, domains and process ids.',
  ),
  GIR_ERR_COMMAND_UNKNOWN: entry(
    500,
    'proxy_configuration_error',
    'agent',
    'The command behind -- does not exist.',
    'Check its name and PATH.',
    { exit: 127 },
  ),
  GIR_ERR_COMMAND_REFUSED: entry(
    500,
    'proxy_configuration_error',
    'agent',
    'The command behind -- cannot be run.',
    'Check that it is a program and may be executed.',
    { exit: 126 },
  ),
  GIR_ERR_USAGE: entry(
    500,
    'proxy_configuration_error',
    'edge',
    'The command line is not valid.',
    'Run the command with --help.',
    { exit: 2 },
  ),
  GIR_ERR_CONFIG: entry(
    500,
    'proxy_configuration_error',
    'edge',
    'A setting is not valid.',
    'The message names the setting and what it accepts.',
    { exit: 3 },
  ),
  GIR_ERR_STATE: entry(
    500,
    'proxy_configuration_error',
    'edge',
    'The state folder or a file in it cannot be used.',
    'Check the owner, mode and free space of the state folder, or pass another --state-dir.',
    { exit: 3 },
  ),
  GIR_ERR_CERTIFICATE: entry(
    500,
    'tls_certificate_error',
    'edge',
    'A certificate or key cannot be used.',
    'Check that the files exist, can be read, are PEM, and belong together.',
    { exit: 3 },
  ),
  GIR_ERR_EXTENSION_LOAD: entry(
    500,
    'proxy_configuration_error',
    'edge',
    'A plugin failed to load.',
    'Repair or uninstall the plugin that the message names.',
    { exit: 4 },
  ),
  GIR_ERR_EXTENSION_FAULT: entry(
    500,
    'proxy_internal_error',
    'edge',
    'An extension failed while handling the request.',
    "Look at the edge's log for the extension's name and error.",
  ),
  GIR_ERR_LISTEN: entry(
    500,
    'proxy_internal_error',
    'edge',
    'A port cannot be listened on.',
    'Stop the program that holds the port, or choose another one (0 picks a free one).',
    { exit: 5 },
  ),
  GIR_ERR_EDGE_UNREACHABLE: entry(
    502,
    'destination_unavailable',
    'edge',
    'The edge cannot be reached.',
    'Check --server and --tunnel-port, that the edge runs, and that no firewall closes its two tunnel ports.',
    { exit: 6 },
  ),
  GIR_ERR_NOT_PUBLIC: entry(
    502,
    'destination_unavailable',
    'edge',
    'The tunnel serves, but its public URL does not lead to the service.',
    'Check the name in DNS and the server in front of the edge, and that the service listens.',
    { exit: 6 },
  ),
  GIR_ERR_EDGE_CERTIFICATE: entry(
    502,
    'tls_certificate_error',
    'edge',
    "The edge's certificate is not trusted.",
    "Pass the edge's CA with --ca (a file, or the sha256:… that the edge printed).",
    { exit: 6 },
  ),
  GIR_ERR_LOAD_TARGET: entry(
    502,
    'destination_unavailable',
    'origin',
    'What a load test goes to cannot be reached.',
    'Check the URL, and that the server runs; --ca or --insecure where its certificate is not known here.',
  ),
  GIR_ERR_LOAD_START: entry(
    500,
    'proxy_internal_error',
    'edge',
    'A process that a load test starts for itself did not become ready.',
    'The message has its last words. Check free memory, and that the folder for temporary files can be written.',
  ),
  GIR_ERR_INTERNAL: entry(
    500,
    'proxy_internal_error',
    'edge',
    'Something went wrong inside giraffe.',
    'Please report a bug with the log line that carries the request id.',
  ),
} as const satisfies Record<string, CodeEntry>;

/** Name of one entry of the table. */
export type ErrorCode = keyof typeof codes;

/** Tells whether a text, for example from the wire, is a code of the table. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(codes, text);
}
