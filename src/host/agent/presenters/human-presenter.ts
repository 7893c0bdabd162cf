/**
 * Shows an agent's events to people: the start as a list and what follows as lines on stderr, the URL on stdout.
 *
 * Nothing from the network is printed as it is: see printable.ts.
 */
import { isDeepStrictEqual } from 'node:util';
import { Chalk, chalkStderr, default as chalkStdout } from 'chalk';
import type { AgentEvent, AgentMode, ServedTunnel, TransportChoice } from '../../../agent/agent-options.ts';
import { codes, isErrorCode } from '../../../errors/codes.ts';
import { stoppingText } from '../../lifecycle/shutdown-signals.ts';
import type { Output } from '../../terminal/output.ts';
import { told } from '../../terminal/printable.ts';
import type { LocalApiUrls } from '../local-api.ts';
import type { AgentPresenter } from './agent-presenter.ts';
import type { StartupList, StartupStep } from './startup-list.ts';

/** Says why requests get an error page: by our own code and its next step, or by a system error. */
function awayText(target: string, reason: string): string {
  if (!isErrorCode(reason)) {
    return `Nothing answers at ${told(target)} (${told(reason)}): requests get an error page until it does.`;
  }
  const { summary, fix } = codes[reason];
  return `Requests to ${told(target)} get an error page: ${summary} (${reason}) ${fix}`;
}

/** The next step for one tunnel of several; a restart would be one of all. */
function aloneAgain(name: string): string {
  const command = `\`giraffe tunnel ${told(name)}\``;
  return `Ask the operator; ${command} with the same settings opens that one again, unless its token was revoked.`;
}

type EventOf<Type extends AgentEvent['type']> = Extract<AgentEvent, { type: Type }>;
type CarrierKind = EventOf<'carrier'>['carrier'];

const stepTitles: Readonly<Record<CarrierKind, { readonly begin: string; readonly done: string }>> = {
  grpc: {
    begin: 'Establishing gRPC tunnel for HTTP traffic',
    done: 'gRPC tunnel established: unlimited HTTP concurrency',
  },
  tls: { begin: 'Establishing TCP tunnel for WebSocket traffic', done: 'WebSocket tunnel established' },
};

const carrierLabels: Readonly<Record<CarrierKind, string>> = { grpc: 'gRPC', tls: 'TCP' };
/** How long a session has to go on with one carrier before that is told, in milliseconds: a lost edge takes both, in turn. */
const modeSettleMs = 250;
/** What the agent mends by itself; the next attempt tells more. */
const passing: ReadonlySet<string> = new Set(['GIR_ERR_DRAINING', 'GIR_ERR_SESSION_LOST']);
/** Longest path that is shown of a request. */
const maxPathLength = 200;

/** What the presenter needs to know of the agent. */
export interface HumanPresenterOptions {
  readonly output: Output;
  readonly list: StartupList;
  readonly transport: TransportChoice;
  /** The edge, for messages. */
  readonly server: string;
  /** Whether there is a line for each request. */
  readonly showsRequests: boolean;
}

/** Returns the line that tells which tunnels are in use. Pure. */
export function modeLine(mode: AgentMode, reason: string | undefined): string {
  switch (mode) {
    case 'hybrid':
      return 'HYBRID MODE ACTIVE: gRPC (HTTP) + TCP (WebSocket)';
    case 'tcp':
      return `TCP FALLBACK MODE: ${told(reason ?? 'the gRPC tunnel is not in use')}`;
    case 'grpc':
      return `GRPC ONLY MODE: ${told(reason ?? 'the TCP tunnel is not in use')}`;
  }
}

/** Shows events to people. */
export class HumanPresenter implements AgentPresenter {
  readonly #options: HumanPresenterOptions;
  readonly #chalk = new Chalk({ level: chalkStdout.level < chalkStderr.level ? chalkStdout.level : chalkStderr.level });
  /** The carriers whose steps are still to be told, in order; the first one's step has begun. */
  #waiting: CarrierKind[] = [];
  #step: StartupStep | undefined;
  readonly #outcomes = new Map<CarrierKind, string | undefined>();
  #isStarting = false;
  #wasReady = false;
  /** The tunnels that were printed last. */
  #urls: readonly string[] = [];
  #localApi: LocalApiUrls | undefined;
  #lastProblem = '';
  #lastCode = '';
  /** Tells soon that a carrier is missing. */
  #modeTimer: NodeJS.Timeout | undefined;

  constructor(options: HumanPresenterOptions) {
    this.#options = options;
  }

  show(event: AgentEvent): void {
    switch (event.type) {
      case 'connecting':
        return this.#connecting(event);
      case 'carrier':
        return this.#carrier(event);
      case 'ready':
        return this.#ready(event);
      case 'mode':
        return this.#mode(event);
      case 'withdrawn':
        return this.#withdrawn(event);
      case 'reconnecting':
        return this.#reconnecting(event);
      case 'request':
        return this.#request(event);
      case 'closed':
        this.#forgetMode();
        return this.#endStart(event.error?.message ?? 'stopped');
      case 'health':
        return this.#health(event);
      case 'origin':
        return undefined;
    }
  }

  showLocalApi(urls: LocalApiUrls): void {
    this.#localApi = urls;
  }

  showOrigin(target: string, reason: string | undefined): void {
    if (reason === undefined) return this.#line(`${told(target)} is there.`);
    this.#line(this.#chalk.yellow(awayText(target, reason)));
  }

  /** Tells a loss once it has lasted; what came back before that was nothing to people. */
  #mode({ mode, reason }: EventOf<'mode'>): void {
    const isUntold = this.#modeTimer !== undefined;
    this.#forgetMode();
    const tellMode = (): void => {
      this.#modeTimer = undefined;
      this.#line(modeLine(mode, reason));
    };
    if (mode !== 'hybrid') this.#modeTimer = setTimeout(tellMode, modeSettleMs).unref();
    else if (!isUntold) tellMode();
  }

  #forgetMode(): void {
    clearTimeout(this.#modeTimer);
    this.#modeTimer = undefined;
  }

  #health({ target, error }: Extract<AgentEvent, { type: 'health' }>): void {
    if (error === undefined) return this.#line(`${told(target)} passes its health check again.`);
    this.#line(this.#chalk.yellow(`${told(target)} fails its health check (${told(error.message)}).`));
  }

  showDraining(deadlineMs: number): void {
    this.#line(stoppingText(deadlineMs));
  }

  showLifetimeOver(lifetimeMs: number): void {
    this.#line(`The tunnel has been up for ${lifetimeMs / 1000} s, its --max-lifetime.`);
  }

  showUnresolved(name: string): void {
    this.#line(
      `${told(name)} does not resolve on this machine. curl, browsers and Node programs of the command know it; for ` +
        'others install libnss-myhostname, or use --domain localhost.',
    );
  }

  async settled(): Promise<void> {
    await this.#options.list.settled();
  }

  #connecting({ attempt }: EventOf<'connecting'>): void {
    if (this.#wasReady || 1 < attempt) return;
    const { list, transport } = this.#options;
    this.#isStarting = true;
    list.line('Starting tunnel establishment');
    this.#waiting = transport === 'auto' ? ['grpc', 'tls'] : [transport === 'grpc' ? 'grpc' : 'tls'];
    this.#beginStep();
  }

  #carrier({ carrier, error }: EventOf<'carrier'>): void {
    if (this.#isStarting) {
      this.#outcomes.set(carrier, error?.message);
      this.#endSteps();
    } else if (!this.#wasReady && error === undefined) {
      this.#options.list.line(stepTitles[carrier].done);
    }
  }

  #beginStep(): void {
    const [carrier] = this.#waiting;
    this.#step = carrier === undefined ? undefined : this.#options.list.begin(stepTitles[carrier].begin);
  }

  /** Ends the steps whose outcome is known, in order. */
  #endSteps(): void {
    for (
      let [carrier] = this.#waiting;
      carrier !== undefined && this.#outcomes.has(carrier);
      [carrier] = this.#waiting
    ) {
      const reason = this.#outcomes.get(carrier);
      if (reason === undefined) this.#step?.succeed(stepTitles[carrier].done);
      else this.#step?.fail(told(reason));
      this.#waiting.shift();
      this.#beginStep();
    }
  }

  /** Whether the list says why the start fails: a step has failed, or the one that is open will. */
  #listTells(): boolean {
    if (!this.#isStarting) return false;
    return this.#step !== undefined || [...this.#outcomes.values()].some((reason) => reason !== undefined);
  }

  /** Ends the start: steps that nothing was heard of have failed. */
  #endStart(reason: string): void {
    if (!this.#isStarting) return;
    this.#isStarting = false;
    this.#step?.fail(told(reason));
    this.#step = undefined;
    this.#waiting = [];
  }

  #ready({ mode, reason, tunnels }: EventOf<'ready'>): void {
    this.#endStart(reason ?? 'not in use');
    this.#forgetMode();
    this.#wasReady = true;
    this.#lastProblem = '';
    this.#lastCode = '';
    const { list, output } = this.#options;
    list.line(this.#chalk.green(modeLine(mode, reason)));
    const urls = tunnels.map(wayText);
    if (isDeepStrictEqual(urls, this.#urls)) return;
    if (this.#urls.length === 0) this.#tellLocalApi();
    this.#urls = urls;
    void list.settled().then(() => {
      for (const line of urls) output.out(line);
    });
  }

  #tellLocalApi(): void {
    const { apiUrl, inspectUrl } = this.#localApi ?? {};
    if (inspectUrl !== undefined) this.#line(`Requests and figures: ${inspectUrl}`);
    else if (apiUrl !== undefined) this.#line(`Figures: ${apiUrl}/api/v1/stats`);
  }

  #withdrawn(event: EventOf<'withdrawn'>): void {
    const { url, name, error } = event;
    this.#urls = this.#urls.filter((printed) => printed !== wayText(event));
    this.#line(this.#chalk.yellow(`${told(url)} is closed: ${told(error.message)} (${error.code})`));
    this.#line(`  ${name === undefined ? error.fix : aloneAgain(name)}`);
  }

  #reconnecting({ error, delayMs }: EventOf<'reconnecting'>): void {
    // What the list has told, or the line before, is not told again.
    this.#forgetMode();
    const isTold = this.#lastProblem === error.message || this.#listTells();
    this.#endStart(error.message);
    const what = this.#wasReady ? 'The tunnel is down' : `No tunnel to ${this.#options.server} yet`;
    const why = isTold ? '' : `: ${told(error.message)}`;
    const isNew = this.#lastCode !== error.code;
    const code = isNew || !isTold ? ` (${error.code})` : '';
    const next = `next attempt in ${(delayMs / 1000).toFixed(1)} s`;
    this.#line(this.#chalk.yellow(`${what}${why}${code}; ${next}`));
    if (isNew && !passing.has(error.code)) this.#line(`  ${error.fix}`);
    this.#lastProblem = error.message;
    this.#lastCode = error.code;
  }

  #request({ method, path, status, code, detail, durationMs, carrier }: EventOf<'request'>): void {
    if (!this.#options.showsRequests) return;
    const shown = path.length <= maxPathLength ? path : `${path.slice(0, maxPathLength)}…`;
    const isCancelled = code === 'GIR_ERR_CANCELLED';
    // Without an answer of the origin, the status with which the edge answers for this code.
    const known = code !== undefined && isErrorCode(code) && !isCancelled ? codes[code].status : undefined;
    const outcome = [status ?? known, code].filter((part) => part !== undefined).join(' ');
    const isBad = status === undefined || 500 <= status;
    const text = `${told(method)} ${told(shown)} ${told(outcome)} ${Math.round(durationMs)} ms ${carrierLabels[carrier]}`;
    const why = detail === undefined || isCancelled ? '' : ` (${told(detail)})`;
    this.#line(isBad ? this.#chalk.red(text + why) : text + why);
  }

  /** Writes a line once the list is not being redrawn. */
  #line(text: string): void {
    void this.#options.list.settled().then(() => this.#options.output.err(text));
  }
}

function wayText({ url, target }: ServedTunnel): string {
  return `${told(url)} -> ${told(target)}`;
}
