import { lookup } from 'node:dns/promises';
import ipaddr from 'ipaddr.js';

/** An address on the network, as sockets take it. */
export type Address = { address: string; family: 4 | 6 };

/** Gives all addresses of a host name. */
export type Resolve = (host: string) => Promise<readonly { address: string }[]>;

const resolved: Resolve = (host) => lookup(host, { all: true, verbatim: true });

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** A range such as 10.0.0.0/8, or an address as the range of itself; null where it is neither. */
function rangeOf(text: string): Range | null {
	if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
	if (!ipaddr.isValid(text)) return null;
	const address = ipaddr.parse(text);
	return [address, address.kind() === 'ipv4' ? 32 : 128];
}

/** Whether a text is an address, or a range of addresses. */
export const isRange = (text: string): boolean => rangeOf(text) !== null;

/**
 * Makes the function that gives the address of a host to connect to. Throws where a host has an address that is not public, such as one of this machine or of a private network, and is
 * in none of `networks`: a name of a stranger may lead into the network of the service.
 */
export function openAddresses(networks: readonly string[], resolve: Resolve = resolved): (host: string) => Promise<Address> {
	const ranges = networks.map(rangeOf).filter((range) => range !== null);

	/** An address without what embeds it in another family; null where it is not allowed. */
	function allowed(text: string): Address | null {
		const address = ipaddr.process(text);
		const family = address.kind() === 'ipv4' ? 4 : 6;
		const isNamed = ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits));
		return isNamed || address.range() === 'unicast' ? { address: address.toString(), family } : null;
	}

	return async (host) => {
		const bare = host.replace(/^\[(.*)\]$/, '$1');
		const found = ipaddr.isValid(bare) ? [{ address: bare }] : await resolve(bare);
		const addresses = found.map(({ address }) => allowed(address));
		const [first] = addresses;
		// One that is not allowed says that the name is not to be trusted.
		if (first === undefined || first === null || addresses.includes(null))
			throw new Error(`${bare} is not at a public address, and STEELYARD_WEBHOOK_NETWORKS does not allow its address`);
		return first;
	};
}
