/** The variables by which scripts and commands learn of a tunnel. Pure. */
import { GiraffeError } from '../../../errors/giraffe-error.ts';

/** A tunnel that serves. */
export interface PublicTunnel {
  /** In the configuration file; undefined for the one of the command line. */
  readonly name: string | undefined;
  readonly domain: string;
  readonly url: string;
  readonly target: string;
}

/**
 * Returns GIRAFFE_URL and GIRAFFE_DOMAIN of the first tunnel, and for each one with a name, such as `web`, GIRAFFE_URL_WEB.
 */
export function tunnelVariables(tunnels: readonly PublicTunnel[]): Record<string, string> {
  const [first] = tunnels;
  const named = tunnels.flatMap(({ name, url }) =>
    name === undefined ? [] : [[`GIRAFFE_URL_${name.toUpperCase().replaceAll('-', '_')}`, url] as const],
  );
  return { GIRAFFE_URL: first?.url ?? '', GIRAFFE_DOMAIN: first?.domain ?? '', ...Object.fromEntries(named) };
}

// A scheme, a name or address, and a port: nothing that a shell or a file of variables could take for more.
const plainUrl = /^https?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?\/?$/;
const plainHost = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])$/;

/**
 * Returns the tunnels if what the edge says of them can be handed to a shell.
 *
 * @throws {GiraffeError} GIR_ERR_PROTOCOL for a URL or domain that is more than that.
 */
export function trustedTunnels(tunnels: readonly PublicTunnel[]): readonly PublicTunnel[] {
  const bad = tunnels.find(({ url, domain }) => !plainUrl.test(url) || !plainHost.test(domain));
  if (bad === undefined) return tunnels;
  throw new GiraffeError('GIR_ERR_PROTOCOL', `the edge gave ${JSON.stringify(bad.url)} as the public URL`);
}
