/**
 * The other end of a carrier, made without the code under test: it says whatever a test wants it to say, over real TLS
 * or a real gRPC call, and keeps what it hears.
 */

import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { eventually } from './eventually.ts';
import { type RawFrame, rawFrame } from './raw-frames.ts';
import { testCertificate } from './test-certificate.ts';
import { testToken } from './world.ts';

/** Types of frames, as proto/tunnel.proto numbers them. */
export const wire = {
  head: 1,
  data: 2,
  end: 3,
  reset: 4,
  window: 5,
  ping: 6,
  pong: 7,
  goAway: 8,
  hello: 9,
  welcome: 10,
  ticket: 11,
  status: 12,
  withdraw: 13,
} as const;

/** A carrier under a test's control. */
export interface ForgedCarrier extends Disposable {
  /** Frames that came, in order. */
  readonly frames: readonly RawFrame[];
  readonly isClosed: boolean;
  /** Resolves when the other end has closed the carrier, or we have. */
  readonly closed: Promise<void>;
  /** Sends octets, frames or not. */
  send(...parts: readonly Buffer[]): void;
  /** Resolves with the first frame of this type that `matches`, past or future. */
  frame(type: number, matches?: (frame: RawFrame) => boolean): Promise<RawFrame>;
  /** Resolves with the code in the other end's GOAWAY. */
  goAwayCode(): Promise<string>;
  /** Cuts the connection. */
  destroy(): void;
}

/** What a forged end is made of. */
interface Line {
  write(bytes: Buffer): void;
  /** Stops reading. */
  pause(): void;
  destroy(): void;
}

/** Collects frames from pieces of octets. PINGs are answered, so that the other end believes us alive. */
export class CarrierRecorder implements ForgedCarrier {
  readonly frames: RawFrame[] = [];
  isClosed = false;
  readonly closed: Promise<void>;
  answersPings = true;
  readonly #line: Line;
  #held = Buffer.alloc(0);
  #onClosed: () => void = () => {};

  constructor(line: Line) {
    this.#line = line;
    this.closed = new Promise((resolve) => (this.#onClosed = resolve));
  }

  receive(chunk: Buffer): void {
    this.#held = Buffer.concat([this.#held, chunk]);
    for (;;) {
      if (this.#held.length < 9) return;
      const end = 9 + this.#held.readUIntBE(0, 3);
      if (this.#held.length < end) return;
      const frame = {
        type: this.#held.readUInt8(3),
        flags: this.#held.readUInt8(4),
        id: this.#held.readUInt32BE(5),
        payload: Buffer.from(this.#held.subarray(9, end)),
      };
      this.#held = this.#held.subarray(end);
      this.frames.push(frame);
      if (frame.type === wire.ping && this.answersPings) this.send(rawFrame(wire.pong, 0, 0, frame.payload));
    }
  }

  ended(): void {
    this.isClosed = true;
    this.#onClosed();
  }

  send(...parts: readonly Buffer[]): void {
    if (!this.isClosed) this.#line.write(Buffer.concat(parts));
  }

  async frame(type: number, matches: (frame: RawFrame) => boolean = () => true): Promise<RawFrame> {
    let found: RawFrame | undefined;
    const seen = (): string => this.frames.map((frame) => `${frame.type}:${frame.id}`).join(' ');
    await eventually(`a frame of type ${type}`, () => {
      found = this.frames.find((frame) => frame.type === type && matches(frame));
      if (found === undefined && this.isClosed) throw new Error(`closed before a frame of type ${type}: ${seen()}`);
      return found !== undefined;
    });
    return found as RawFrame;
  }

  async goAwayCode(): Promise<string> {
    const { payload } = await this.frame(wire.goAway);
    return payload.toString('utf8').split('\n', 1)[0] ?? '';
  }

  /** Reads nothing more. */
  pause(): void {
    this.#line.pause();
  }

  destroy(): void {
    this.#line.destroy();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }
}

/** Wraps a TLS socket, of either end. */
export function forgedTls(socket: TLSSocket): CarrierRecorder {
  const recorder = new CarrierRecorder({
    write: (bytes) => void (socket.destroyed || socket.write(bytes)),
    pause: () => void socket.pause(),
    destroy: () => void socket.destroy(),
  });
  socket.on('data', (chunk: Buffer) => recorder.receive(chunk));
  socket.on('error', () => {});
  socket.on('close', () => recorder.ended());
  return recorder;
}

/** Connects to an edge's TCP tunnel port as an agent would; HELLO is left to the test. */
export async function connectForgedTls(port: number, options: ConnectionOptions = {}): Promise<CarrierRecorder> {
  const { caPem } = await testCertificate();
  const socket = connect({
    host: '127.0.0.1',
    port,
    ca: caPem,
    servername: 'localhost',
    ALPNProtocols: ['giraffe'],
    ...options,
  });
  const recorder = forgedTls(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return recorder;
}

/** Opens a Connect call on an edge's gRPC port as an agent would; HELLO is left to the test. */
export async function connectForgedGrpc(port: number): Promise<CarrierRecorder> {
  const { call, client } = await openForgedCall(port);
  const recorder = new CarrierRecorder({
    write: (bytes) => void call.write(batchMessage(bytes)),
    pause: () => void call.pause(),
    destroy: () => {
      call.cancel();
      client.close();
    },
  });
  call.on('data', (message: Buffer) => recorder.receive(batchContent(message)));
  call.on('error', () => recorder.ended());
  call.on('end', () => recorder.ended());
  return recorder;
}

/** Opens a Connect call whose messages are raw octets, valid Batch messages or not. */
export async function openForgedCall(port: number, metadata = new Metadata()) {
  const { caPem } = await testCertificate();
  const client = new Client(`localhost:${port}`, credentials.createSsl(Buffer.from(caPem)), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_send_message_length': -1,
    'grpc.enable_retries': 0,
  });
  const same = (message: Buffer): Buffer => message;
  const call = client.makeBidiStreamRequest('/tunnel.TunnelService/Connect', same, same, metadata);
  return { client, call };
}

/** Returns a Batch message around octets: field 1, length-delimited. */
export function batchMessage(bytes: Buffer): Buffer {
  const prefix = [0x0a];
  let rest = bytes.length;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) prefix.push((rest % 128) + 128);
  prefix.push(rest);
  return Buffer.concat([Buffer.from(prefix), bytes]);
}

function batchContent(message: Buffer): Buffer {
  let at = 1;
  while ((message[at] ?? 0) >= 0x80) at += 1;
  return message.subarray(at + 1);
}

/** What a HELLO says unless a test wants something else. */
export const plainHello = {
  version: 1,
  software: 'forged/1',
  capabilities: ['exchange', 'relay'],
  token: testToken,
  agentId: 'forged-agent-0001',
  generation: 1,
  endpoints: ['forged.test'] as (string | null)[],
};

/** Returns a HELLO frame. */
export function helloFrame(overrides: Partial<typeof plainHello> & { readonly ticket?: string } = {}): Buffer {
  return rawFrame(wire.hello, 0, 0, JSON.stringify({ ...plainHello, ...overrides }));
}

/** Asks for a ticket and returns it. */
export async function ticketFor(carrier: ForgedCarrier): Promise<string> {
  const before = carrier.frames.filter((frame) => frame.type === wire.ticket).length;
  carrier.send(rawFrame(wire.ticket, 0, 0));
  await eventually('a ticket', () => carrier.frames.filter((frame) => frame.type === wire.ticket).length > before);
  return carrier.frames.filter((frame) => frame.type === wire.ticket)[before]?.payload.toString() ?? '';
}
