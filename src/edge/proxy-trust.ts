/**
 * Decides whose word about the clients behind them is believed.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { createNetworkTest, isNetwork } from '../http/ip-network.ts';

/**
 * Returns a test for addresses.
 * @param proxies Addresses, or networks as `address/prefix-length`.
 * @param what Names one entry in an error. Default "trusted proxy".
 * @throws {GiraffeError} GIR_ERR_CONFIG naming the entry that is neither.
 */
export function createProxyTrust(proxies: readonly string[], what = 'trusted proxy'): (address: string) => boolean {
  const wrong = proxies.find((proxy) => !isNetwork(proxy));
  if (wrong === undefined) return createNetworkTest(proxies);
  throw new GiraffeError(
    'GIR_ERR_CONFIG',
    `${what} "${wrong}" is not an address such as 10.0.0.1 or a network such as 10.0.0.0/8`,
  );
}
