import { createHash, randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** Bytes of the salt and of the hash of a secret. */
const BYTES = 32;
/** The cost of scrypt (its N), a power of two: with blocks of 8 it takes 32 MiB and about a tenth of a second. */
const COST = 2 ** 15;

/** What is kept of a secret: its hash by scrypt (RFC 7914) with a salt of its own, both in hexadecimal, and the cost. */
export type SecretHash = { salt: string; hash: string; cost: number };

const hashed = (secret: string, salt: Buffer, cost: number): Promise<Buffer> =>
	derive(secret, salt, BYTES, { N: cost, r: 8, p: 1, maxmem: 256 * cost * 8 });

/** A new secret: 256 random bits as 43 characters of base64url. */
export const newSecret = (): string => randomBytes(BYTES).toString('base64url');

export async function hashOf(secret: string): Promise<SecretHash> {
	const salt = randomBytes(BYTES);
	return { salt: salt.toString('hex'), hash: (await hashed(secret, salt, COST)).toString('hex'), cost: COST };
}

/** Whether a secret is the one that was hashed. It takes as long where there is none (null). */
export async function isSecret(secret: string, known: SecretHash | null): Promise<boolean> {
	const { salt, hash, cost } = known ?? { salt: '', hash: '', cost: COST };
	const found = await hashed(secret, Buffer.from(salt, 'hex'), cost);
	const expected = Buffer.from(hash, 'hex');
	return expected.length === found.length && timingSafeEqual(expected, found);
}

/** The SHA-256 of a text. Digests have equal lengths, so that the time of a comparison says nothing about the text. */
export const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

const BEGINNING = 'steelyard_';

/** The part of a token that everybody may see: it names the key. */
export const prefixOf = (id: string): string => `${BEGINNING}${id.slice('key_'.length)}`;

export const tokenOf = (id: string, secret: string): string => `${prefixOf(id)}_${secret}`;

/** Whether a bearer token is to be one of a key, rather than STEELYARD_API_KEY or something else. */
export const isToken = (text: string): boolean => text.startsWith(BEGINNING);

/** The id and the secret in a token; null where it is none. */
export function partsOf(token: string): { id: string; secret: string } | null {
	const [, id, secret] = /^steelyard_([0-9a-z]{26})_([\w-]{43})$/.exec(token) ?? [];
	return id === undefined || secret === undefined ? null : { id: `key_${id}`, secret };
}
