/** Says what a TLS connection to the edge, or its failure, means. */
import type { TLSSocket } from 'node:tls';
import type { EdgeTrust } from '../agent/agent-options.ts';
import { edgeFailure } from '../agent/edge-failure.ts';
import { type Finding, failed, ok, warning } from './check.ts';

const dayMs = 86_400_000;
/** Days left from which the operator of the edge should be told. */
const minDays = 14;

const verifiedBy: Readonly<Record<EdgeTrust['kind'], string>> = {
  system: "by the system's CAs",
  ca: 'by its CA',
  pin: 'by its pin',
  insecure: 'not at all',
};

/** Judges a connection that was made, and with it verified, unless nothing was to be verified. */
export function certificateLife(socket: TLSSocket, trust: EdgeTrust['kind'], now: number): Finding {
  const protocol = socket.getProtocol() ?? 'TLS';
  if (trust === 'insecure') {
    return warning(
      `${protocol}, and --insecure verifies nothing`,
      'Pass --ca with the sha256:… that the edge printed, instead of --insecure.',
    );
  }
  const days = Math.floor((Date.parse(socket.getPeerCertificate().valid_to) - now) / dayMs);
  const saw = `${protocol}, verified ${verifiedBy[trust]}, ${days} days left`;
  return days < minDays ? warning(saw, 'Renew the certificate at the edge: its own one by a restart.') : ok(saw);
}

/** Says why there is no connection. */
export function tlsFailure(error: NodeJS.ErrnoException, address: string, trust: EdgeTrust['kind']): Finding {
  const failure = edgeFailure(error, address);
  return failed(failure.message, nextStep(error, trust), failure.code);
}

function nextStep(error: NodeJS.ErrnoException, trust: EdgeTrust['kind']): string | undefined {
  const code = error.code ?? '';
  if (code === 'GIR_ERR_HANDSHAKE_TIMEOUT') {
    return 'Look at what stands between here and the edge: it accepts connections and passes nothing on.';
  }
  if (code === 'CERT_HAS_EXPIRED') {
    return "Renew the certificate at the edge (its own one by a restart); if it is valid, set this machine's clock.";
  }
  if (code === 'CERT_NOT_YET_VALID') return "Set this machine's clock: the certificate begins later.";
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return 'Use a name of the certificate as --server, or restart the edge with --public-host and this name.';
  }
  if (/WRONG_VERSION_NUMBER|ERR_SSL_PACKET|ECONNRESET|EPROTO/.test(code)) {
    return 'Check the port: what listens there does not speak TLS as an edge does.';
  }
  if (code === 'GIR_ERR_EDGE_CERTIFICATE') {
    return 'Compare --ca with what the edge prints at its start; if it is the same, somebody is in between.';
  }
  if (trust === 'ca') return 'Pass the CA of this very edge with --ca; what it shows is signed by another one.';
  return undefined;
}
