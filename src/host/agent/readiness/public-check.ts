/**
 * Asks the public URL of a tunnel until the answer shows that requests come through: with --wait-ready.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentSettings } from '../../../config/agent-settings.ts';
import { codes, isErrorCode } from '../../../errors/codes.ts';
import { parseTarget } from '../../../http/target.ts';
import { systemCode } from '../../../state/state-error.ts';
import { lookupLocalhost } from '../../network/localhost-names.ts';
import { probeTarget } from '../agent-target.ts';
import type { PublicTunnel } from './tunnel-variables.ts';

/** First and longest time between two requests, in milliseconds. */
const firstDelayMs = 100;
const longestDelayMs = 2_000;
/** Time for one request, in milliseconds. */
const requestTimeoutMs = 10_000;
/** Most of an error page that is read, in octets. */
const maxPageLength = 64 * 1024;

/** What a check is told. */
export interface PublicCheckOptions {
  readonly level: AgentSettings['waitReady'];
  readonly tunnels: readonly PublicTunnel[];
  /** Ends the check. */
  readonly signal: AbortSignal;
  /** Told why a tunnel is not ready yet, after each request that says so. */
  onProblem(reason: string): void;
}

/** Resolves when all tunnels are ready; rejects when `signal` ends the check. */
export async function untilPublic(options: PublicCheckOptions): Promise<void> {
  if (options.level === 'registered') return;
  await Promise.all(options.tunnels.map((tunnel) => untilAnswered(tunnel, options)));
}

async function untilAnswered(tunnel: PublicTunnel, { level, signal, onProblem }: PublicCheckOptions): Promise<void> {
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(2 * delayMs, longestDelayMs)) {
    const problem = await problemOf(tunnel, level, signal);
    if (problem === undefined) return;
    onProblem(problem);
    await delay(delayMs, undefined, { signal });
  }
}

/** Makes one request and returns why it does not do; undefined when it does. */
async function problemOf(
  { url, target }: PublicTunnel,
  level: AgentSettings['waitReady'],
  signal: AbortSignal,
): Promise<string | undefined> {
  // The service is asked first, so that waiting for it makes no failed requests.
  const reason = level === 'origin' ? await probeTarget(parseTarget(target)) : undefined;
  if (reason !== undefined) return `${target}: ${reason}`;
  let code: string | undefined;
  try {
    code = await failureCodeAt(url, signal);
  } catch (error) {
    signal.throwIfAborted();
    return `${url}: ${systemCode(error) ?? (error instanceof Error ? error.message : String(error))}`;
  }
  if (code === undefined) return undefined;
  const side = isErrorCode(code) ? codes[code].side : undefined;
  if (code === 'GIR_ERR_ENDPOINT_UNKNOWN' || (side !== 'origin' && side !== 'client')) return `${url}: ${code}`;
  // Of the client's side: the edge wants something of its visitors, such as a password.
  return level === 'origin' && side === 'origin' ? `${target}: ${code}` : undefined;
}

/** Returns the code of our own failure page; undefined for any other answer. Throws for an answer that is not of an edge. */
async function failureCodeAt(url: string, signal: AbortSignal): Promise<string | undefined> {
  const response = await get(url, signal);
  const { via = '', 'proxy-status': proxyStatus = '' } = response.headers;
  if (!String(proxyStatus).startsWith('giraffe;')) {
    response.destroy();
    if (/\bgiraffe/i.test(via)) return undefined;
    throw new Error(`the answer, with status ${response.statusCode}, did not come through the tunnel`);
  }
  const page = await textOf(response);
  return /"code"\s*:\s*"([A-Z_]+)"/.exec(page)?.[1] ?? 'GIR_ERR_INTERNAL';
}

function get(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest;
  const headers = { Accept: 'application/problem+json', 'User-Agent': 'giraffe-tunnel' };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        headers,
        agent: false,
        lookup: lookupLocalhost,
        signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]),
      },
      resolve,
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += String(chunk);
    if (maxPageLength < text.length) break;
  }
  return text;
}
