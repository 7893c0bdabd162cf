/**
 * T3 in real time and with default settings: what stands still for a second, half a minute and five minutes serves again
 * within one ping interval and one step of the backoff. All scenes wait at once, and cost no processor time meanwhile.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { describe, it } from 'vitest';
import { defaultBackoff } from '../../src/agent/backoff.ts';
import { defaultEdgeLimits, type EdgePorts } from '../../src/edge/edge-options.ts';
import { Lifetimes } from '../../src/host/lifecycle/lifetimes.ts';
import type { AgentSettings } from '../support/agent-process.ts';
import type { EdgeSettings } from '../support/edge-process.ts';
import { eventually } from '../support/eventually.ts';
import { HttpClient } from '../support/http-client.ts';
import { type Links, startLinks } from '../support/links.ts';
import { note } from '../support/note.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { startScript } from '../support/script-process.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { startTestAgent, startTestEdge } from '../support/world.ts';

/** One ping interval and one step of the backoff, in milliseconds. */
const promisedMs = defaultEdgeLimits.keepAliveMs + defaultBackoff.maxMs;

/** A tunnel of which something can be made to stand still. */
interface Scene {
  readonly proxyPort: number;
  freeze(): void;
  clear(): void;
  /** What the agent has told of its life. */
  events(): Promise<readonly string[]>;
}

/** Starts a tunnel whose parts end with `all`. */
type Stage = (all: Lifetimes) => Promise<Scene>;

const settings = { backoff: defaultBackoff } as const;

async function startTarget(all: Lifetimes): Promise<string> {
  return all.use(await startHttpOrigin((_request, response) => response.end('ok'))).target;
}

const stoppedAgent: Stage = async (all) => {
  const { caPem } = await testCertificate();
  const { edge } = all.use(await startTestEdge());
  const agent = all.use(
    await startScript<'ready'>('agent-process', {
      ports: edge.ports,
      domain: 'app.test',
      target: await startTarget(all),
      options: { trust: { kind: 'ca', pem: caPem }, ...settings },
    } satisfies AgentSettings),
  );
  const events = async (): Promise<string[]> => (await agent.ask('events')) as string[];
  return { proxyPort: edge.ports.proxy, freeze: agent.freeze, clear: agent.wake, events };
};

const stoppedEdge: Stage = async (all) => {
  const certificate = await testCertificate();
  const edge = all.use(
    await startScript<EdgePorts>('edge-process', { options: { certificate } } satisfies EdgeSettings),
  );
  const agent = all.use(await startTestAgent(edge.ready, 'app.test', await startTarget(all), settings));
  const events = async (): Promise<string[]> => agent.events.map(({ type }) => type);
  return { proxyPort: edge.ready.proxy, freeze: edge.freeze, clear: edge.wake, events };
};

/** @param end What the end of the freeze is for what waits in the link. */
const frozenLink =
  (end: Parameters<Links['both']>[0]): Stage =>
  async (all) => {
    const { edge } = all.use(await startTestEdge());
    const links = all.use(await startLinks(edge.ports));
    const options = { server: links.server, ...settings };
    const agent = all.use(await startTestAgent(edge.ports, 'app.test', await startTarget(all), options));
    const events = async (): Promise<string[]> => agent.events.map(({ type }) => type);
    return { proxyPort: edge.ports.proxy, freeze: () => links.both('stall'), clear: () => links.both(end), events };
  };

describe.concurrent('frozen, in real time and with default settings', () => {
  it.for<[time: string, what: string, frozenMs: number, stage: Stage, session: 'same' | 'any' | 'next']>([
    ['1 s', 'an agent that is stopped (SIGSTOP)', 1000, stoppedAgent, 'same'],
    ['1 s', 'an edge that is stopped (SIGSTOP)', 1000, stoppedEdge, 'same'],
    ['1 s', 'a link that delivers late', 1000, frozenLink('resume'), 'same'],
    ['30 s', 'an agent that is stopped (SIGSTOP)', 30_000, stoppedAgent, 'any'],
    ['30 s', 'an edge that is stopped (SIGSTOP)', 30_000, stoppedEdge, 'any'],
    // Packets dropped for so long are sent again by TCP.
    ['30 s', 'a link that delivers late', 30_000, frozenLink('resume'), 'any'],
    ['5 min', 'an agent that is stopped (SIGSTOP)', 300_000, stoppedAgent, 'next'],
    ['5 min', 'an edge that is stopped (SIGSTOP)', 300_000, stoppedEdge, 'any'],
    // By then both ends have given up, and connections of the meantime never answer.
    ['5 min', 'a link that loses all packets', 300_000, frozenLink('lose'), 'next'],
  ])('T3 for %s, %s', { timeout: 450_000 }, async ([time, what, frozenMs, stage, session], { expect }) => {
    await using all = new Lifetimes();
    const scene = await stage(all);
    const serves = async (): Promise<boolean> => {
      using client = new HttpClient(scene.proxyPort, 'app.test');
      return (await client.get('/').catch(() => undefined))?.status === 200;
    };
    expect(await serves()).toBe(true);

    scene.freeze();
    await pause(frozenMs);
    scene.clear();
    const clearMs = performance.now();
    await eventually('it serves', serves, promisedMs);
    const tookMs = performance.now() - clearMs;

    note(`T3 ${what} for ${time}: serves again after ${(tookMs / 1000).toFixed(1)} s`);
    // A last look may have begun in time and ended late.
    expect(tookMs).toBeLessThan(promisedMs);
    // The edge may serve over a session of which its agent has not told yet.
    const sessions = async (): Promise<number> => (await scene.events()).filter((type) => type === 'ready').length;
    if (session === 'next')
      await eventually('the agent tells of its next session', async () => (await sessions()) === 2);
    if (session === 'same') expect(await sessions()).toBe(1);
  });
});
