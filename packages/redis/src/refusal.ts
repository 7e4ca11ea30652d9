import type { RedisOptions } from 'ioredis';

/** What a connection failed at, in words that name what was expected: of errors of the system and of TLS by their codes. */
const BY_CODE: Readonly<Record<string, string>> = {
	ECONNREFUSED: 'nothing listens there',
	ENOENT: 'there is no such socket',
	ENOTFOUND: 'there is no host of this name',
	ETIMEDOUT: 'it does not answer',
	SELF_SIGNED_CERT_IN_CHAIN: 'unknown authority',
	DEPTH_ZERO_SELF_SIGNED_CERT: 'unknown authority',
	UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown authority',
	UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown authority',
	UNABLE_TO_GET_ISSUER_CERT: 'unknown authority',
	CERT_HAS_EXPIRED: 'its certificate has expired',
	CERT_NOT_YET_VALID: 'its certificate is not valid yet; look at the clocks of both machines',
};

const unknownAuthority = (ca: boolean): string =>
	ca
		? 'its certificate was signed by none of the authorities in REDIS_CA_FILE: put the certificate of the one that signed it there'
		: 'its certificate was signed by an authority that is not known here: name a file with the certificate of that authority by REDIS_CA_FILE';

/** How somebody logs in. */
export type Login = { username?: string | undefined; password?: string | undefined; isSecure: boolean; hasCa: boolean; loginIn: string };

export const loginOf = ({ username, password, tls }: RedisOptions): Login => ({
	username: username ?? undefined,
	password: password ?? undefined,
	isSecure: tls !== undefined,
	hasCa: (tls as { ca?: unknown } | undefined)?.ca !== undefined,
	loginIn: 'REDIS_URL',
});

/** Why a server, or a sentinel, cannot be used, in one sentence for people that says what was expected and shows no password. */
export function refusalOf(error: unknown, { username, password, isSecure, hasCa, loginIn }: Login): string {
	const { code = '', message } = error as NodeJS.ErrnoException;
	const who = username === undefined ? 'the password' : `the password of the user ${JSON.stringify(username)}, or knows no such user`;
	if (message.startsWith('WRONGPASS')) return `it refuses ${who}: look at ${loginIn}`;
	if (message.startsWith('NOAUTH'))
		return `it demands a password, and ${password === undefined ? 'none was given' : 'did not take the one given'}: look at ${loginIn}`;
	if (message.startsWith('NOPERM')) return `the user ${JSON.stringify(username ?? 'default')} may not do what is needed there: ${message}`;
	if (isSecure && (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG'))
		return 'it does not speak TLS at this port: write redis instead of rediss in REDIS_URL, or name its port for TLS';
	if (isSecure && code === 'ETIMEDOUT')
		return 'it does not answer, or does not speak TLS at this port: look at the address and at rediss in REDIS_URL';
	if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `its certificate is for another name: ${message}`;
	const known = BY_CODE[code];
	if (known === 'unknown authority') return unknownAuthority(hasCa);
	// Which of these it is depends on whether its alert arrives before the end of the connection.
	if (code === 'ECONNRESET' || message === 'Connection is closed.' || message.includes('certificate required'))
		return isSecure
			? 'it closed the connection: expected a port at which it speaks TLS, and "tls-auth-clients no" there, for no certificate is sent to it'
			: 'it closed the connection: a port at which it speaks TLS needs rediss instead of redis in REDIS_URL';
	return known === undefined ? message || code : `${known} (${message || code})`;
}
