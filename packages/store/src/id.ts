import { randomBytes } from 'node:crypto';

const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';

function base32(value: bigint, length: number): string {
	let text = '';
	for (let rest = value; text.length < length; rest >>= 5n) text = DIGITS[Number(rest & 31n)] + text;
	return text;
}

/** `<kind>_` and 26 characters of base 32: 48 bits of unix milliseconds, by which ids sort, and 80 random ones. */
export function createId(kind: 'ds' | 'job' | 'mdl'): string {
	const random = BigInt(`0x${randomBytes(10).toString('hex')}`);
	return `${kind}_${base32(BigInt(Date.now()), 10)}${base32(random, 16)}`;
}
