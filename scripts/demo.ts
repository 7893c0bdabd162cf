/**
 * `npm run demo`: a sample service, an edge and an agent as three processes, and proof that the tunnel between them works.
 *
 * Stays up until Ctrl-C; with `--once` it ends after the proof, with exit status 0 only if all of it was right.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import chalk from 'chalk';
import { WebSocket } from 'ws';
import { endAll, ours, toldToEnd } from './started-processes.ts';

if (process.env['NO_COLOR'] !== undefined) chalk.level = 0;

const domain = 'demo.localhost';
const uploadBytes = 16 * 1024 * 1024;
const root = fileURLToPath(new URL('..', import.meta.url));
const stateFolder = mkdtempSync(join(tmpdir(), 'giraffe-demo-'));
process.on('exit', () => rmSync(stateFolder, { recursive: true, force: true, maxRetries: 3 }));

/** Carrier of the latest request on each path, as the agent reports it. */
const carriers = new Map<string, string>();

interface RequestEvent {
  readonly event: string;
  readonly path: string;
  readonly carrier: string;
}

function start(name: string, args: readonly string[]): { child: ChildProcess; lines: Interface } {
  const env = { ...process.env, GIRAFFE_STATE_DIR: stateFolder };
  const child = ours(spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] }));
  let errors = '';
  child.stderr.on('data', (text: Buffer) => {
    errors = (errors + text.toString()).slice(-4000);
  });
  child.on('exit', (code) => {
    if (isStopping) return;
    console.error(`${name} ended with ${code}:\n${errors}`);
    void stop(1);
  });
  return { child, lines: createInterface({ input: child.stdout }) };
}

async function firstLine(lines: Interface, matches: (line: string) => boolean = () => true): Promise<string> {
  return new Promise((resolve) => {
    const look = (line: string): void => {
      if (!matches(line)) return;
      lines.off('line', look);
      resolve(line);
    };
    lines.on('line', look);
  });
}

let isStopping = false;
/** From then on it ends well whenever it is told to. */
let isProven = false;

async function stop(code: number): Promise<never> {
  isStopping = true;
  await endAll();
  process.exit(code);
}

/** Sends a request to the edge. The name is not looked up: not every system resolves names under localhost. */
async function send(port: number, path: string, body?: Buffer): Promise<IncomingMessage> {
  const request = httpRequest({
    port,
    host: '127.0.0.1',
    path,
    method: body ? 'POST' : 'GET',
    headers: { Host: `${domain}:${port}` },
  });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  request.end(body);
  const [response] = await answered;
  return response;
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function provePage(port: number): Promise<string> {
  const response = await send(port, '/');
  const body = await bodyOf(response);
  if (response.statusCode !== 200 || !body.includes('Hello from behind giraffe'))
    throw new Error(`status ${response.statusCode}`);
  return `${response.statusCode}, ${body.length} bytes`;
}

async function proveDownload(port: number): Promise<string> {
  const response = await send(port, '/download');
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    hash.update(chunk as Buffer);
  }
  const digest = hash.digest('hex');
  if (digest !== response.headers['x-content-sha256']) throw new Error('the SHA-256 differs');
  return `${bytes / 1024 / 1024} MiB, SHA-256 ${digest.slice(0, 16)}… equal`;
}

async function proveUpload(port: number): Promise<string> {
  const body = Buffer.alloc(uploadBytes, 'giraffe ');
  const answer = JSON.parse((await bodyOf(await send(port, '/upload', body))).toString()) as {
    bytes: number;
    sha256: string;
  };
  const digest = createHash('sha256').update(body).digest('hex');
  if (answer.bytes !== uploadBytes || answer.sha256 !== digest) throw new Error('the origin got something else');
  return `${uploadBytes / 1024 / 1024} MiB, SHA-256 ${digest.slice(0, 16)}… equal`;
}

async function proveEvents(port: number): Promise<string> {
  const delaysMs: number[] = [];
  for await (const chunk of await send(port, '/events')) {
    const sentAt = /at (\S+)/.exec(String(chunk))?.[1];
    if (sentAt !== undefined) delaysMs.push(Date.now() - Date.parse(sentAt));
  }
  if (delaysMs.length < 5) throw new Error(`only ${delaysMs.length} events`);
  return `${delaysMs.length} events, live (at most ${Math.max(...delaysMs)} ms old)`;
}

async function proveWebSocket(port: number): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws/echo`, { headers: { Host: `${domain}:${port}` } });
  await once(socket, 'open');
  const message = Buffer.alloc(1024 * 1024, 'echo');
  const answered = once(socket, 'message') as Promise<[Buffer]>;
  socket.send(message);
  const [answer] = await answered;
  const closed = once(socket, 'close');
  socket.close();
  await closed;
  if (!answer.equals(message)) throw new Error('the echo differs');
  return '1 MiB echoed, equal';
}

const carrierNames: Readonly<Record<string, string>> = { grpc: 'gRPC tunnel', tls: 'TCP tunnel' };

/** Waits until the agent has reported the exchange on `path`. */
async function carrierOf(path: string, agent: Interface): Promise<string> {
  if (!carriers.has(path)) await firstLine(agent, () => carriers.has(path));
  return carrierNames[carriers.get(path) ?? ''] ?? 'unknown';
}

async function main(): Promise<void> {
  console.error('Starting a sample service, an edge and an agent...');
  const origin = start('the sample service', ['--import', 'jiti/register', 'scripts/demo-origin.ts']);
  const originPort = await firstLine(origin.lines);
  const anyPorts = ['--proxy-port', '0', '--api-port', '0', '--grpc-port', '0', '--tunnel-port', '0'];
  const edge = start('the edge', ['bin/run.js', 'server', 'start', '--json', ...anyPorts]);
  const { ports } = JSON.parse(await firstLine(edge.lines)) as { ports: { proxy: number; grpc: number } };
  const agent = start('the agent', [
    ...['bin/run.js', 'tunnel', originPort, '--domain', domain, '--server', `localhost:${ports.grpc}`, '--json'],
  ]);
  agent.lines.on('line', (line) => {
    const event = JSON.parse(line) as RequestEvent;
    if (event.event === 'request') carriers.set(event.path, event.carrier);
  });
  const ready = JSON.parse(await firstLine(agent.lines, (line) => line.includes('"ready"'))) as {
    url: string;
    mode: string;
  };
  console.log(`\n  ${chalk.bold(ready.url)}  ->  http://localhost:${originPort}   (${ready.mode} mode)\n`);

  const proofs = [
    { name: 'GET', path: '/', prove: provePage },
    { name: 'Download', path: '/download', prove: proveDownload },
    { name: 'Upload', path: '/upload', prove: proveUpload },
    { name: 'Server-sent events', path: '/events', prove: proveEvents },
    { name: 'WebSocket', path: '/ws/echo', prove: proveWebSocket },
  ];
  let failures = 0;
  for (const { name, path, prove } of proofs) {
    try {
      const seen = await prove(ports.proxy);
      console.log(
        `  ${chalk.green('✓')} ${name.padEnd(20)} ${(await carrierOf(path, agent.lines)).padEnd(13)} ${seen}`,
      );
    } catch (error) {
      failures += 1;
      console.log(`  ${chalk.red('✗')} ${name.padEnd(20)} ${(error as Error).message}`);
    }
  }
  if (failures > 0 || process.argv.includes('--once')) await stop(failures > 0 ? 1 : 0);
  isProven = true;
  console.log(`\nOpen ${ready.url} in a browser. Ctrl-C ends everything.`);
}

void toldToEnd().then((status) => stop(isProven ? 0 : status));
await main();
