/**
 * Opens sockets to a target. What is sent over them, and how long they are kept, is for their owners.
 */
import { isIP, type LookupFunction, type NetConnectOpts, connect as netConnect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import type { Target } from '../http/target.ts';
import type { OriginTls } from './agent-options.ts';
import type { SocketReader } from './socket-reader.ts';

/** TCP probes of an idle connection begin after this long, in milliseconds. The system sends them; it costs no timer. */
const probeDelayMs = 60_000;
/**
 * Time for one of the two addresses of `localhost`, in milliseconds: all that the owner of the socket gives.
 *
 * Where nobody listens the system says so at once. An address that says nothing is of a service that is busy, and Node gives it
 * up after 250 ms for one where nobody listens, also when it was this process that stood still.
 */
const loopbackAttemptMs = 2 ** 31 - 1;

/** Opens connections to one target. */
export class OriginDialer {
  readonly target: Target;
  readonly #tls: OriginTls;
  /** The loopback address that answered last; `localhost` may mean either. */
  #loopback: string | undefined;

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
      ...(target.host === 'localhost'
        ? { lookup: this.#lookupLoopback, autoSelectFamilyAttemptTimeout: loopbackAttemptMs }
        : {}),
    };
  }

  /** Notes which address answered, so that the next connection tries it first. */
  connected(socket: Socket): void {
    if (this.target.kind === 'tcp' && this.target.host === 'localhost') this.#loopback = socket.remoteAddress;
  }

  /** Answers for `localhost` without a resolver: both loopback addresses, the one that answered last in front. */
  readonly #lookupLoopback: LookupFunction = (_host, _options, callback) => {
    const addresses = [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ];
    if (this.#loopback === '127.0.0.1') addresses.reverse();
    callback(null, addresses);
  };
}

/** Returns what Node verifies the certificate with. The name that was dialed is checked unless another one is set. */
function verification(host: string, { trust, serverName = host }: OriginTls): ConnectionOptions {
  return {
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    ...(trust.kind === 'ca' ? { ca: trust.pem } : {}),
    ...(trust.kind === 'insecure' ? { rejectUnauthorized: false } : {}),
  };
}
