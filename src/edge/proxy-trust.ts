/**
 * Decides whose forwarding fields are believed.
 */
import { BlockList, isIP } from 'node:net';
import { GiraffeError } from '../errors/giraffe-error.ts';

/**
 * Returns a test for addresses.
 * @param proxies Addresses, or networks as `address/prefix-length`.
 * @throws {GiraffeError} GIR_ERR_CONFIG naming the entry that is neither.
 */
export function createProxyTrust(proxies: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const proxy of proxies) addProxy(list, proxy);
  return (address) => {
    const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
    return list.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
  };
}

function addProxy(list: BlockList, proxy: string): void {
  const [address = '', prefix, ...rest] = proxy.split('/');
  const version = isIP(address);
  const maxPrefix = version === 6 ? 128 : 32;
  const length = prefix === undefined ? maxPrefix : /^[0-9]{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (version === 0 || rest.length > 0 || length < 0 || length > maxPrefix) {
    throw new GiraffeError(
      'GIR_ERR_CONFIG',
      `trusted proxy "${proxy}" is not an address such as 10.0.0.1 or a network such as 10.0.0.0/8`,
    );
  }
  list.addSubnet(address, length, version === 6 ? 'ipv6' : 'ipv4');
}
