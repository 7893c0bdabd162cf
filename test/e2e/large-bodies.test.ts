/** A GiB each way through an edge and an agent in processes of their own: whole, and past them rather than into them. */
import { createHash, type Hash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { type ChildProgram, GiraffeHome, type RunningEdge } from '../support/giraffe-process.ts';
import { HttpClient } from '../support/http-client.ts';
import { note } from '../support/note.ts';
import { startHttpOrigin } from '../support/origins.ts';

const mib = 1024 * 1024;
const blockBytes = 256 * 1024;
const noise = randomBytes(blockBytes * 2);

/** Writes `total` octets of which no two blocks are equal, at the pace of the reader; returns their hash. */
async function pump(destination: Writable, total: number): Promise<string> {
  const hash = createHash('sha256');
  for (let sent = 0, index = 0; sent < total; sent += blockBytes, index += 1) {
    const start = (index * 4099) % blockBytes;
    const block = noise.subarray(start, start + blockBytes);
    hash.update(block);
    if (!destination.write(block)) await new Promise((resolve) => destination.once('drain', resolve));
  }
  destination.end();
  return hash.digest('hex');
}

async function hashOf(source: Readable): Promise<string> {
  const hash: Hash = createHash('sha256');
  for await (const chunk of source) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** The largest resident size that a process has had so far, in octets. */
function peakBytes({ pid }: ChildProgram): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1024;
}

/** Starts an agent and waits until it serves over these carriers. */
async function startAgent(home: GiraffeHome, edge: RunningEdge, port: number, mode: string): Promise<ChildProgram> {
  const args = ['--domain', 'large.localhost'];
  if (mode === 'hybrid') return home.startAgent(edge, port, args);
  // gRPC cannot be asked for the other port when it is not to be used.
  const server = ['--server', 'localhost', '--tunnel-port', `${edge.ports.tunnel}`];
  const agent = home.run(['tunnel', `${port}`, ...server, '--json', '--transport', mode, ...args]);
  await agent.event('ready', (event) => event['mode'] === mode);
  return agent;
}

it.each([
  ['gRPC', 'hybrid'],
  ['TCP', 'tcp'],
])(
  'H3 1 GiB down and up over %s: equal hashes, and neither edge nor agent grows by 50 MB',
  async (name, mode) => {
    let sentDown: Promise<string> = Promise.resolve('');
    await using origin = await startHttpOrigin(async (request, response) => {
      if (request.method === 'GET') sentDown = pump(response, Number(request.url?.slice(1)));
      else response.end(await hashOf(request));
    });
    await using home = new GiraffeHome();
    const edge = await home.startEdge();
    const agent = await startAgent(home, edge, origin.port, mode);
    using client = new HttpClient(edge.ports.proxy, 'large.localhost');
    const down = async (bytes: number): Promise<void> => {
      const { outgoing, answer } = client.open('GET', `/${bytes}`);
      outgoing.end();
      expect(await hashOf(await answer)).toBe(await sentDown);
    };
    const up = async (bytes: number): Promise<void> => {
      const { outgoing, answer } = client.open('PUT', '/');
      const sent = await pump(outgoing, bytes);
      const chunks: Buffer[] = [];
      for await (const chunk of await answer) chunks.push(chunk as Buffer);
      expect(Buffer.concat(chunks).toString()).toBe(sent);
    };
    // V8 collects buffers when it likes, and makes room of its own for any load: as much as 256 MiB bring is no growth.
    await down(128 * mib);
    await up(128 * mib);

    const before = [edge.process, agent].map(peakBytes);
    const startedMs = performance.now();
    await down(1024 * mib);
    const downMs = performance.now() - startedMs;
    await up(1024 * mib);
    const upMs = performance.now() - startedMs - downMs;

    const [edgeMib = 0, agentMib = 0] = [edge.process, agent].map((process, index) =>
      Math.round((peakBytes(process) - (before[index] ?? 0)) / mib),
    );
    const [downRate, upRate] = [downMs, upMs].map((ms) => Math.round(1_024_000 / ms));
    note(
      `H3 1 GiB over ${name}: down ${downRate} MiB/s, up ${upRate} MiB/s; edge +${edgeMib} MiB, agent +${agentMib} MiB`,
    );
    expect(edgeMib).toBeLessThan(48);
    expect(agentMib).toBeLessThan(48);
  },
  300_000,
);
