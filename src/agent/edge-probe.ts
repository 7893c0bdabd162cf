/**
 * Asks an edge whether it would take an agent, without becoming one: no session is opened, and none is replaced.
 */
import { randomBytes } from 'node:crypto';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { capabilities, protocolVersion, type Welcome } from '../protocol/handshake.ts';
import { CreditPool } from '../protocol/receive-window.ts';
import { softwareName } from '../telemetry/software.ts';
import type { CarrierKind } from '../tunnel/carrier.ts';
import type { EdgeDialer } from './edge-dialer.ts';
import { Link, type LinkOwner } from './link.ts';

/** What an edge is asked. */
export interface EdgeQuestion {
  readonly kind: CarrierKind;
  readonly port: number;
  /** Empty when the agent shows a certificate instead. */
  readonly token: string;
  /** Hosts that would be served; null lets the edge choose a name. */
  readonly endpoints: readonly (string | null)[];
}

/**
 * Returns the edge's answer, with names filled in where it was to choose them; they are not reserved.
 *
 * @throws {GiraffeError} The edge's refusal, GIR_ERR_EDGE_UNREACHABLE, GIR_ERR_EDGE_CERTIFICATE, or the reason of `signal`.
 */
export async function probeEdge(
  dialer: EdgeDialer,
  { kind, port, token, endpoints }: EdgeQuestion,
  signal: AbortSignal,
): Promise<Welcome> {
  const { carrier, explain } = await dialer.dial(kind, port, signal);
  let answer: Welcome | undefined;
  const owner: LinkOwner = {
    onWelcome: (_link, welcome) => {
      answer = welcome;
    },
    onOpen: () => {
      throw new GiraffeError('GIR_ERR_PROTOCOL', 'the edge opened a stream in a probe');
    },
    onWithdraw: () => {},
    onGoAway: () => {},
    onClose: () => {},
  };
  const hello = {
    version: protocolVersion,
    software: softwareName,
    capabilities: [...capabilities],
    token,
    // Never that of an agent: an agent that comes back takes the place of its older session.
    agentId: randomBytes(12).toString('base64url'),
    generation: 1,
    endpoints: [],
    probe: [...endpoints],
  };
  const link = new Link({ carrier, hello, creditPool: new CreditPool(), maxInboundStreams: 1, owner });
  await link.opened(signal).catch((error: unknown) => {
    throw explain(GiraffeError.from(error));
  });
  link.close(new GiraffeError('GIR_ERR_CANCELLED'));
  if (answer === undefined) throw new GiraffeError('GIR_ERR_PROTOCOL', 'the edge agreed without WELCOME');
  return answer;
}
