/** Decides from the flags what a bench does, and says everything that contradicts itself at once. Pure. */
import {
  type BenchScenario,
  type BenchSettings,
  type BenchWayName,
  benchSettings,
} from '../../config/bench-settings.ts';
import { ConfigError } from '../../config/config-error.ts';
import type { FieldLines } from '../../http/field-line.ts';
import { type Assertion, parseAssertions } from '../../load/assertion.ts';
import { type LoadTarget, parseLoadTarget } from '../../load/load-target.ts';

/** What is sent, again and again. */
export interface LoadPlan {
  readonly isWebSocket: boolean;
  readonly method: string;
  readonly fields: FieldLines;
  /** Octets of each request's body or message. */
  readonly sentBytes: number;
  /** Octets that our own origin answers; undefined where that is up to the URL. */
  readonly answerBytes: number | undefined;
  readonly keepAlive: boolean;
  readonly concurrency: number;
  /** Per way. */
  readonly maxRequests: number | undefined;
  /** Per way, in milliseconds. */
  readonly durationMs: number | undefined;
  /** Per second; undefined for a closed loop. */
  readonly rate: number | undefined;
  readonly warmUpMs: number;
  readonly timeoutMs: number;
}

/** A whole bench. */
export interface BenchPlan {
  /** Undefined when the bench starts its own parts. */
  readonly target: LoadTarget | undefined;
  readonly ways: readonly BenchWayName[];
  readonly isComparison: boolean;
  readonly rounds: number;
  readonly scenario: BenchScenario | undefined;
  readonly load: LoadPlan;
  readonly assertions: readonly Assertion[];
  readonly reportFile: string | undefined;
  readonly caFile: string | undefined;
  readonly insecure: boolean;
}

const defaultConcurrency = 50;
const defaultDurationMs = 10_000;
const defaultBodyBytes = 1024;
const defaultRounds = 3;

/** What each scenario takes where the flags say nothing. */
const scenarioDefaults: Readonly<Record<BenchScenario, { readonly concurrency: number; readonly requests?: number }>> =
  {
    'head-of-line': { concurrency: 1 },
    abort: { concurrency: 10, requests: 300 },
    reconnect: { concurrency: 20 },
    'many-idle': { concurrency: 1000 },
  };

/**
 * Returns the plan.
 *
 * @param fields Lines of `--header`.
 * @throws {GiraffeError} GIR_ERR_USAGE with all contradictions.
 */
export function benchPlan(url: string | undefined, settings: BenchSettings, fields: FieldLines): BenchPlan {
  const target = url === undefined ? undefined : parseLoadTarget(url);
  const { scenario, compare } = settings;
  const isWebSocket = settings.webSocket || target?.isWebSocket === true;
  const problems = contradictions(settings, target, isWebSocket);
  if (0 < problems.length) throw new ConfigError(problems, 'GIR_ERR_USAGE');
  const ways: readonly BenchWayName[] = compare === undefined ? ['hybrid'] : [...new Set(compare)];
  const isComparison = 1 < ways.length;
  const scope = { ways: isComparison ? ways : [], scenario };
  return {
    target,
    ways,
    isComparison,
    rounds: isComparison ? (settings.rounds ?? defaultRounds) : 1,
    scenario,
    load: loadPlan(settings, target, fields, isWebSocket),
    assertions: settings.assert === undefined ? [] : parseAssertions(settings.assert, scope),
    reportFile: settings.report,
    caFile: settings.ca,
    insecure: settings.insecure,
  };
}

function loadPlan(
  settings: BenchSettings,
  target: LoadTarget | undefined,
  fields: FieldLines,
  isWebSocket: boolean,
): LoadPlan {
  const { scenario, upload, requests } = settings;
  const bodyBytes = settings.bodySize ?? defaultBodyBytes;
  const defaults = scenario === undefined ? { concurrency: defaultConcurrency } : scenarioDefaults[scenario];
  const maxRequests = requests ?? ('requests' in defaults ? defaults.requests : undefined);
  return {
    isWebSocket,
    method: settings.method ?? (upload ? 'POST' : 'GET'),
    fields,
    sentBytes: upload || isWebSocket ? bodyBytes : 0,
    answerBytes: target !== undefined ? undefined : upload ? 0 : bodyBytes,
    keepAlive: !settings.noKeepAlive,
    concurrency: settings.concurrency ?? defaults.concurrency,
    maxRequests,
    durationMs: settings.duration ?? (maxRequests === undefined ? defaultDurationMs : undefined),
    rate: settings.rate,
    warmUpMs: settings.warmUp ?? (target === undefined ? 1000 : 0),
    timeoutMs: settings.timeout,
  };
}

function contradictions(settings: BenchSettings, target: LoadTarget | undefined, isWebSocket: boolean): string[] {
  const { upload, scenario, compare, rounds, bodySize, method, ca, insecure, noKeepAlive } = settings;
  const hasUrl = target !== undefined;
  const checks: readonly (readonly [boolean, string])[] = [
    [hasUrl && compare !== undefined, '--compare starts its own edge and agents, so it takes no URL'],
    [hasUrl && scenario !== undefined, '--scenario starts its own edge and agents, so it takes no URL'],
    [
      hasUrl && bodySize !== undefined && !upload && !isWebSocket,
      '--body-size with a URL needs --upload or --websocket: what is answered is up to the URL',
    ],
    [isWebSocket && upload, '--upload and --websocket exclude each other: WebSocket messages go both ways'],
    [isWebSocket && noKeepAlive, '--no-keep-alive and --websocket exclude each other'],
    [isWebSocket && method !== undefined, '--method and --websocket exclude each other: a WebSocket begins with GET'],
    [rounds !== undefined && (compare?.length ?? 0) < 2, '--rounds needs --compare with two ways or more'],
    [compare !== undefined && compare.length === 0, '--compare names no way'],
    [!(target?.tls ?? false) && (ca !== undefined || insecure), '--ca and --insecure are for an https or wss URL'],
    ...scenarioChecks(settings),
  ];
  return checks.filter(([isWrong]) => isWrong).map(([, message]) => message);
}

/** Flags that a scenario would not heed. Each scenario has its own kind of requests. */
function scenarioChecks(settings: BenchSettings): [boolean, string][] {
  const { scenario } = settings;
  if (scenario === undefined) return [];
  const unheeded = ['rate', 'upload', 'webSocket', 'method', 'noKeepAlive', 'compare'] as const;
  const further = {
    'head-of-line': [],
    abort: ['duration', 'bodySize', 'warmUp'],
    reconnect: [],
    'many-idle': ['requests', 'duration', 'bodySize', 'warmUp', 'report'],
  } as const;
  return [...unheeded, ...further[scenario]].map((name) => {
    const value = settings[name];
    return [
      value !== undefined && value !== false,
      `--${benchSettings[name].flag} does nothing with --scenario ${scenario}`,
    ];
  });
}
