/** The settings of `giraffe bench`, except `--header`, whose values may hold the commas that join other lists. */
import { optionalSetting, type SettingValues, setting } from './setting.ts';
import { byteSize, count, decimal, duration, list, oneOf, plainText, token, yesOrNo } from './units.ts';

/** Ways from the generator to the origin that a bench of our own parts can take. */
const benchWays = ['hybrid', 'grpc', 'tcp', 'direct'] as const;
/** Name of such a way. */
export type BenchWayName = (typeof benchWays)[number];

/** What a bench can look at besides plain load. */
export const benchScenarios = ['head-of-line', 'abort', 'reconnect', 'many-idle'] as const;
/** Name of a scenario. */
export type BenchScenario = (typeof benchScenarios)[number];

const gibibyte = 1024 ** 3;

function yes(flag: string, description: string) {
  return setting({ flag, defaultText: 'false', valueName: undefined, description, schema: yesOrNo() });
}

/** Settings of a bench. */
export const benchSettings = {
  concurrency: optionalSetting({
    flag: 'concurrency',
    valueName: 'COUNT',
    description: 'Connections, each with one request at a time (default 50; 1000 for many-idle).',
    schema: count(1, 50_000),
  }),
  requests: optionalSetting({
    flag: 'requests',
    valueName: 'COUNT',
    description: 'Ends after so many requests. With --duration, what comes first.',
    schema: count(1, 1_000_000_000),
  }),
  duration: optionalSetting({
    flag: 'duration',
    valueName: 'DURATION',
    description: 'Ends after so long (default 10s without --requests). Requests under way may end.',
    schema: duration(1),
  }),
  rate: optionalSetting({
    flag: 'rate',
    valueName: 'PER-SECOND',
    description:
      'Open loop: so many requests per second whatever the answers take, latencies counted from the intended start. ' +
      'Without it each connection sends its next request when it has the answer.',
    schema: decimal(0.01, 1_000_000),
  }),
  warmUp: optionalSetting({
    flag: 'warmup',
    valueName: 'DURATION',
    description: 'Load that is not counted, before (default 1s; 0 with a URL).',
    schema: duration(0),
  }),
  timeout: setting({
    flag: 'timeout',
    defaultText: '30s',
    valueName: 'DURATION',
    description: 'Time of one request, then it has failed.',
    schema: duration(1),
  }),
  method: optionalSetting({
    flag: 'method',
    valueName: 'METHOD',
    description: 'Method of the requests (default GET, or POST with --upload).',
    schema: token('a method such as GET'),
  }),
  bodySize: optionalSetting({
    flag: 'body-size',
    valueName: 'SIZE',
    description:
      'Octets of a body, such as 64KiB: of the answers of our own origin, of what --upload sends, or of a ' +
      'WebSocket message (default 1KiB).',
    schema: byteSize(0, 100 * gibibyte),
  }),
  upload: yes('upload', 'Send a body of --body-size with each request.'),
  webSocket: yes('websocket', 'Echo round trips over WebSockets instead of requests; the target must echo.'),
  noKeepAlive: yes('no-keep-alive', 'A new connection for each request.'),
  compare: optionalSetting({
    flag: 'compare',
    valueName: 'WAYS',
    description: `Several ways in turn, round after round: ${benchWays.join(', ')}, with commas between.`,
    schema: list(oneOf(benchWays), benchWays.length),
  }),
  rounds: optionalSetting({
    flag: 'rounds',
    valueName: 'COUNT',
    description: 'Rounds of --compare that the load of each way is split into (default 3).',
    schema: count(1, 100),
  }),
  scenario: optionalSetting({
    flag: 'scenario',
    valueName: 'NAME',
    description:
      'head-of-line: small requests beside bulk. abort: time until the origin knows that a client left. reconnect: the ' +
      'agent is killed under load. many-idle: memory per idle WebSocket and per tunnel.',
    schema: oneOf(benchScenarios),
  }),
  assert: optionalSetting({
    flag: 'assert',
    valueName: 'EXPRESSION',
    multiple: true,
    description: "Exit 1 unless it holds, such as 'p99<50ms,failed==0'. docs/bench.md has all metrics and units.",
    schema: plainText("comparisons such as 'p99<50ms,failed==0'"),
  }),
  report: optionalSetting({
    flag: 'report',
    valueName: 'FILE',
    isPath: true,
    description: 'Write a page with plots, in one HTML file.',
    schema: plainText('the path of a file'),
  }),
  ca: optionalSetting({
    flag: 'ca',
    valueName: 'FILE',
    isPath: true,
    description: 'PEM file with the CA of an https URL.',
    schema: plainText('the path of a PEM file'),
  }),
  insecure: yes('insecure', 'Do not verify the certificate of an https URL.'),
};

/** Values of {@link benchSettings}: times in milliseconds, sizes in octets. */
export type BenchSettings = SettingValues<typeof benchSettings>;
