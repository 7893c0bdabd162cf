/**
 * Opens sockets to a target. What is sent over them, and how long they are kept, is for their owners.
 */
import { type LookupAddress, lookup } from 'node:dns';
import { isIP, type LookupFunction, type NetConnectOpts, connect as netConnect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import type { Target } from '../http/target.ts';
import type { OriginTls } from './agent-options.ts';
import type { SocketReader } from './socket-reader.ts';

/** TCP probes of an idle connection begin after this long, in milliseconds. The system sends them; it costs no timer. */
const probeDelayMs = 60_000;
/**
 * Time for one address of a name that has several, in milliseconds; behind it the next one is tried, and the first is given up.
 * The 250 ms that Node gives are over when a first packet is lost, and when this process gets no processor for so long.
 */
const attemptMs = 2500;
/** Of `localhost`, an address where nobody listens says so at once. One that says nothing is of a service that is busy. */
const loopbackAttemptMs = 2 ** 31 - 1;
const loopback: readonly LookupAddress[] = [
  { address: '::1', family: 6 },
  { address: '127.0.0.1', family: 4 },
];

/** Opens connections to one target. */
export class OriginDialer {
  readonly target: Target;
  readonly #tls: OriginTls;
  /** The address that answered last. */
  #answered: string | undefined;

  /** @param tls How an https origin is verified. */
  constructor(target: Target, tls: OriginTls) {
    this.target = target;
    this.#tls = tls;
  }

  /** Whether sockets have to wait for `secureConnect` before they can be used. */
  get isTls(): boolean {
    return this.target.kind === 'tcp' && this.target.tls;
  }

  /**
   * Returns a socket that is connecting. Half-open is allowed on it: its owner ends it.
   * @param reader Gets what comes, if there is one, instead of listeners of `data`.
   */
  dial(reader?: SocketReader): Socket {
    const { target } = this;
    const options = this.#connectOptions();
    if (target.kind === 'tcp' && target.tls) {
      const socket = tlsConnect({ ...options, ...verification(target.host, this.#tls), ALPNProtocols: ['http/1.1'] });
      reader?.listen(socket);
      return socket;
    }
    if (reader !== undefined) options.onread = reader.onread;
    return netConnect(options);
  }

  #connectOptions(): NetConnectOpts {
    const { target } = this;
    if (target.kind === 'unix') return { path: target.path, allowHalfOpen: true };
    return {
      host: target.host,
      port: target.port,
      allowHalfOpen: true,
      autoSelectFamily: true,
      keepAlive: true,
      keepAliveInitialDelay: probeDelayMs,
      noDelay: true,
      autoSelectFamilyAttemptTimeout: target.host === 'localhost' ? loopbackAttemptMs : attemptMs,
      lookup: this.#lookup,
    };
  }

  /** Notes which address answered, so that the next connection tries it first. */
  connected(socket: Socket): void {
    if (this.target.kind === 'tcp') this.#answered = socket.remoteAddress;
  }

  /** Finds the addresses of a name, the one that answered last in front. `localhost` has both of its own without a resolver. */
  readonly #lookup: LookupFunction = (host, options, callback) => {
    if (host === 'localhost') return callback(null, this.#inOrder(loopback));
    lookup(host, { ...options, all: true }, (error, addresses) => callback(error, this.#inOrder(addresses)));
  };

  #inOrder(addresses: readonly LookupAddress[] = []): LookupAddress[] {
    const isAnswered = ({ address }: LookupAddress): boolean => address === this.#answered;
    return [...addresses.filter(isAnswered), ...addresses.filter((one) => !isAnswered(one))];
  }
}

/** Returns what Node verifies the certificate with. The name that was dialed is checked unless another one is set. */
function verification(host: string, { trust, serverName = host }: OriginTls): ConnectionOptions {
  return {
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    ...(trust.kind === 'ca' ? { ca: trust.pem } : {}),
    ...(trust.kind === 'insecure' ? { rejectUnauthorized: false } : {}),
  };
}
