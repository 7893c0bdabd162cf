/**
 * IP networks in CIDR notation: which texts are one, and whether an address is in one of a list.
 *
 * Pure: node:net only compares here. What a match means is for the caller.
 */
import { BlockList, isIP } from 'node:net';
import { plainAddress } from './forwarded.ts';

interface Network {
  readonly address: string;
  readonly prefixBits: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** Says whether a text is an address (`192.0.2.7`) or a network (`10.0.0.0/8`, `2001:db8::/32`). */
export function isNetwork(text: string): boolean {
  return parseNetwork(text) !== undefined;
}

/**
 * Returns a test for addresses: true for one in at least one of the networks. An IPv4-mapped IPv6 address counts as IPv4;
 * a text that is no address is in no network.
 *
 * @param networks Each passed {@link isNetwork}; others are ignored.
 */
export function createNetworkTest(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const text of networks) {
    const network = parseNetwork(text);
    if (network !== undefined) list.addSubnet(network.address, network.prefixBits, network.family);
  }
  return (address) => {
    const plain = plainAddress(address);
    const version = isIP(plain);
    return version !== 0 && list.check(plain, version === 6 ? 'ipv6' : 'ipv4');
  };
}

function parseNetwork(text: string): Network | undefined {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = address.includes('%') ? 0 : isIP(address);
  const maxBits = version === 6 ? 128 : 32;
  const prefixBits = prefix === undefined ? maxBits : /^[0-9]{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (version === 0 || rest.length > 0 || prefixBits < 0 || prefixBits > maxBits) return undefined;
  return { address, prefixBits, family: version === 6 ? 'ipv6' : 'ipv4' };
}
