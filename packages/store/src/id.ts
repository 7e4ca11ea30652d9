import { randomBytes } from 'node:crypto';
import type { IdKind } from '@steelyard/contracts';

const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';

function base32(value: bigint, length: number): string {
	let text = '';
	for (let rest = value; text.length < length; rest >>= 5n) text = DIGITS[Number(rest & 31n)] + text;
	return text;
}

/** The first characters of the ids that are made at a time, in unix milliseconds: those of earlier ids sort before it, all others behind it. */
export const idsFrom = (kind: IdKind, ms: number): string => `${kind}_${base32(BigInt(Math.max(0, ms)), 10)}`;

/** A new id: `<kind>_` and 26 characters of base 32, which are 48 bits of unix milliseconds, by which ids sort, and 80 random bits. */
export function createId(kind: IdKind): string {
	const random = BigInt(`0x${randomBytes(10).toString('hex')}`);
	return `${idsFrom(kind, Date.now())}${base32(random, 16)}`;
}
