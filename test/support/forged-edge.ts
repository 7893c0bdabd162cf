/** An edge made without the code under test: a TLS server on whose carriers a test says what it wants. */
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { type CarrierRecorder, forgedTls, wire } from './forged-carrier.ts';
import { rawFrame } from './raw-frames.ts';
import { testCertificate } from './test-certificate.ts';

/** A forged edge. It has a TCP tunnel port only; agents are to be started with the transport `tcp`. */
export interface ForgedEdge extends AsyncDisposable {
  readonly ports: { readonly grpc: number; readonly tunnel: number };
  /** All carriers so far. */
  readonly carriers: readonly CarrierRecorder[];
  /** Resolves with the next carrier whose HELLO was answered with WELCOME. */
  next(): Promise<CarrierRecorder>;
}

/** Returns a WELCOME frame. */
export function welcomeFrame(domain: string, overrides: object = {}): Buffer {
  const welcome = {
    software: 'forged/1',
    capabilities: ['exchange', 'relay'],
    sessionId: 'forged-session',
    endpoints: [{ host: domain, url: `http://${domain}` }],
    ports: { grpc: 1, tunnel: 1 },
    keepAliveMs: 30_000,
    maxStreams: 1000,
    ...overrides,
  };
  return rawFrame(wire.welcome, 0, 0, JSON.stringify(welcome));
}

/**
 * Starts a forged edge that welcomes each agent as the one for `domain`.
 * @param welcome What it says instead of a WELCOME that makes sense.
 */
export async function startForgedEdge(domain: string, welcome?: Buffer): Promise<ForgedEdge> {
  const { certPem, keyPem } = await testCertificate();
  const carriers: CarrierRecorder[] = [];
  const waiting: ((carrier: CarrierRecorder) => void)[] = [];
  const welcomed: CarrierRecorder[] = [];
  const server = createServer({ cert: certPem, key: keyPem, ALPNProtocols: ['giraffe'] }, (socket) => {
    const carrier = forgedTls(socket);
    carriers.push(carrier);
    carrier.frame(wire.hello).then(
      () => {
        const { port } = server.address() as AddressInfo;
        carrier.send(welcome ?? welcomeFrame(domain, { ports: { grpc: 1, tunnel: port } }));
        const waiter = waiting.shift();
        if (waiter === undefined) welcomed.push(carrier);
        else waiter(carrier);
      },
      () => {},
    );
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    ports: { grpc: 1, tunnel: (server.address() as AddressInfo).port },
    carriers,
    next: () => {
      const carrier = welcomed.shift();
      return carrier === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(carrier);
    },
    [Symbol.asyncDispose]: async () => {
      for (const carrier of carriers) carrier.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
