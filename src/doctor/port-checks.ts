/**
 * Checks of the ports of an edge on this machine: free, held by this very edge, or by whom.
 *
 * A tunnel port is this edge's when it shows the certificate that is in its files; the proxy and the API tell by what they
 * answer, and by being of the same process where that can be known.
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { caCertificateFile } from '../state/local-files.ts';
import type { CheckId } from './catalogue.ts';
import { type Check, type Finding, failed, ok, warning } from './check.ts';
import { askHttp, type HttpAnswer } from './http-question.ts';
import type { EdgeSubject } from './subject.ts';

type PortName = keyof EdgeSubject['ports'];

const checkIdOf = {
  proxy: 'port-proxy',
  api: 'port-api',
  grpc: 'port-grpc',
  tunnel: 'port-tunnel',
} as const satisfies Record<PortName, CheckId>;

/** The port checks of one edge. */
export class PortChecks {
  readonly #edge: EdgeSubject;
  /** Whether the gRPC port is held by this edge, once it has been looked at. */
  #isRunning = false;

  constructor(edge: EdgeSubject) {
    this.#edge = edge;
  }

  /** Returns the checks of the ports, and of whether the edge runs. */
  checks(): [CheckId, Check][] {
    const names: readonly PortName[] = ['proxy', 'api', 'grpc', 'tunnel'];
    const ports = names.map((name): [CheckId, Check] => [checkIdOf[name], (signal) => this.#look(name, signal)]);
    return this.#edge.exists ? [...ports, ['edge', async () => this.#running()]] : ports;
  }

  async #look(name: PortName, signal: AbortSignal): Promise<Finding> {
    const port = this.#edge.ports[name];
    if (port === 0) return ok('any free one');
    const problem = await bindProblem(this.#address(name), port);
    if (problem === undefined) return ok(`${port} is free`);
    if (problem === 'EACCES') {
      return failed(`this user may not listen on ${port}`, 'Pick a port above 1023, or give Node.js the privilege.');
    }
    if (problem === 'EADDRNOTAVAIL' || problem === 'ENOTFOUND') {
      return failed(
        `${this.#address(name)} is no address of this machine`,
        'Set --host and --api-host to one that is.',
        'GIR_ERR_LISTEN',
      );
    }
    if (problem !== 'EADDRINUSE') return failed(`${port} cannot be listened on (${problem})`);
    return this.#held(name, port, signal);
  }

  async #held(name: PortName, port: number, signal: AbortSignal): Promise<Finding> {
    const isTunnel = name === 'grpc' || name === 'tunnel';
    const isGiraffe = !isTunnel && (await this.#answersAsGiraffe(name, port, signal));
    const isOurs = isTunnel
      ? await this.#showsOurCertificate(port, name === 'grpc' ? 'h2' : 'giraffe', signal)
      : isGiraffe && this.#isRunning && this.#isOfOurProcess(port);
    if (name === 'grpc') this.#isRunning = isOurs;
    const holder = this.#edge.findHolder(port);
    const pid = holder === undefined ? '' : ` (pid ${holder.pid})`;
    if (isOurs) return ok(`${port} is held by this edge${pid}`);
    const whose = isGiraffe ? 'another edge' : (holder?.program ?? 'another program');
    return failed(`${port} is held by ${whose}${pid}, not by this edge`, undefined, 'GIR_ERR_LISTEN');
  }

  /** Whether a port is held by the process that holds the gRPC port, as far as that can be known. */
  #isOfOurProcess(port: number): boolean {
    const { findHolder, ports } = this.#edge;
    const [holder, grpcHolder] = [findHolder(port), findHolder(ports.grpc)];
    return holder === undefined || grpcHolder === undefined || holder.pid === grpcHolder.pid;
  }

  #running(): Finding {
    const { ports, isOnlyWay } = this.#edge;
    if (this.#isRunning) return ok('it runs');
    return { ...warning(`no edge of this state folder listens on port ${ports.grpc}`), blocks: isOnlyWay };
  }

  #address(name: PortName): string | undefined {
    return name === 'api' ? this.#edge.apiHost : this.#edge.host;
  }

  /** An address to connect to what listens there. */
  #reachable(name: PortName): string {
    const address = this.#address(name);
    return address === undefined || address === '0.0.0.0' || address === '::' ? 'localhost' : address;
  }

  async #showsOurCertificate(port: number, alpn: string, signal: AbortSignal): Promise<boolean> {
    const [shown, own] = await Promise.all([shownChain(this.#reachable('grpc'), port, alpn, signal), this.#ownFiles()]);
    return shown.some((der) => own.some((certificate) => certificate.raw.equals(der)));
  }

  /** The certificates by which the edge is known: its CA, or the operator's own. */
  async #ownFiles(): Promise<X509Certificate[]> {
    const { tls, stateDir } = this.#edge;
    try {
      const pem = await readFile(tls?.cert ?? join(stateDir, caCertificateFile), 'utf8');
      return [new X509Certificate(pem)];
    } catch {
      return []; // Told by the check of the certificate's files.
    }
  }

  async #answersAsGiraffe(name: PortName, port: number, signal: AbortSignal): Promise<boolean> {
    const question = { path: '/giraffe-doctor', host: name === 'api' ? 'localhost' : 'giraffe-doctor.invalid' };
    const ask = (tls: boolean): Promise<HttpAnswer | undefined> => {
      const target = { kind: 'tcp', host: this.#reachable(name), port, tls } as const;
      // Who answers is told by what it says; its certificate is looked at elsewhere.
      return askHttp({ target, originTls: { trust: { kind: 'insecure' } } }, question, signal).catch(() => undefined);
    };
    const plain = await ask(false);
    const answer = plain?.status === undefined ? await ask(true) : plain;
    return name === 'api'
      ? answer?.body.includes('"GIR_ERR_API_') === true
      : /^giraffe;/.test(answer?.field('proxy-status') ?? '');
  }
}

/** Listens for a moment. Returns why that is not possible, as Node's error code; undefined when it is. */
function bindProblem(host: string | undefined, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** Returns the certificates that a port shows, DER; none when it does not speak TLS. */
function shownChain(host: string, port: number, alpn: string, signal: AbortSignal): Promise<Buffer[]> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, ALPNProtocols: [alpn], rejectUnauthorized: false });
    const end = (chain: Buffer[]): void => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(chain);
    };
    const onAbort = (): void => end([]);
    signal.addEventListener('abort', onAbort);
    socket.on('error', () => end([]));
    socket.once('secureConnect', () => {
      const leaf = socket.getPeerCertificate(true);
      const issuer = leaf.issuerCertificate;
      end([leaf.raw, ...(issuer === undefined ? [] : [issuer.raw])]);
    });
  });
}
