import type { RedisOptions } from 'ioredis';

/** A URL that does not name a Redis. The message never shows the URL, which may hold a password. */
export class RedisUrlError extends Error {
	override readonly name = 'RedisUrlError';
	readonly code = 'redis_url';
}

/** What a connection needs that a URL does not hold. */
export type BesideUrl = {
	/** The certificates, as PEM, of the authorities that may have signed those of Redis and of the sentinels; those that Node knows unless given. */
	ca?: string | undefined;
	/** With what a client logs in to the sentinels; not at all unless given. The user and the password of the URL are for Redis alone. */
	sentinelUsername?: string | undefined;
	sentinelPassword?: string | undefined;
};

const FORMS =
	'redis://[user:password@]host[:port][/database], rediss://… for TLS, unix:/path, or redis+sentinel://[user:password@]host[:port],host[:port]…/master[/database]';
const SENTINEL_PORT = 26_379;

/**
 * The connection that a URL names: `redis://[user:password@]host[:port][/database]`, `rediss://…` for TLS, `unix:/path[?db=database]` for a socket, or
 * `redis+sentinel://[user:password@]host[:port],host[:port]…/master[/database]` for the one that sentinels call the master of this name, with `rediss+sentinel://…`
 * where Redis and sentinels speak TLS. Plain data, which can be sent to another process. Throws RedisUrlError, whose message follows the name of where the URL was given.
 */
export function optionsOf(url: string, { ca, ...sentinelLogin }: BesideUrl = {}): RedisOptions {
	const tls = ca === undefined ? {} : { ca };
	if (/^rediss?\+sentinel:/i.test(url)) return sentinelOptions(url, tls, sentinelLogin);
	const parts = partsOf(url);
	if (parts.protocol === 'unix:')
		return { path: decoded(parts.pathname), ...loginOf(parts), db: databaseOf(parts.searchParams.get('db') ?? '') };
	if (parts.protocol !== 'redis:' && parts.protocol !== 'rediss:')
		throw new RedisUrlError(`begins with ${parts.protocol}, expected redis:, rediss:, unix:, redis+sentinel: or rediss+sentinel:`);
	return {
		host: parts.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1',
		port: Number(parts.port || 6379),
		...loginOf(parts),
		db: databaseOf(parts.pathname.slice(1)),
		...(parts.protocol === 'rediss:' ? { tls } : {}),
	};
}

/** The parts of a URL with several hosts, each of which is read as that of a URL of its own. */
function sentinelOptions(url: string, tls: { ca?: string }, { sentinelUsername, sentinelPassword }: BesideUrl): RedisOptions {
	const [, scheme = '', login = '', hosts = '', path = ''] = /^([^:]+):\/\/(?:([^/]*)@)?([^/?#@]*)(?:\/([^?#]*))?$/.exec(url) ?? [];
	const names = hosts.split(',').filter((host) => host !== '');
	if (names.length === 0) throw new RedisUrlError(`names no sentinel: expected ${FORMS}`);
	const [master = '', database = '', ...more] = path.split('/').map(decoded);
	if (master === '' || more.length > 0)
		throw new RedisUrlError(
			'does not name the master that the sentinels watch: expected redis+sentinel://host:port,host:port/master[/database]',
		);
	const isSecure = scheme.toLowerCase().startsWith('rediss');
	return {
		sentinels: names.map((name) => {
			const { hostname, port } = partsOf(`redis://${name}`);
			return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || SENTINEL_PORT) };
		}),
		name: master,
		...loginOf(partsOf(`redis://${login === '' ? '' : `${login}@`}host`)),
		db: databaseOf(database),
		...(sentinelUsername === undefined ? {} : { sentinelUsername }),
		...(sentinelPassword === undefined ? {} : { sentinelPassword }),
		...(isSecure ? { tls, sentinelTLS: tls, enableTLSForSentinelMode: true } : {}),
	};
}

function partsOf(url: string): URL {
	try {
		return new URL(url);
	} catch {
		throw new RedisUrlError(`is not a URL: expected ${FORMS}`);
	}
}

/** Text of a URL without its percent signs. */
function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		throw new RedisUrlError('has a percent sign that begins no encoded character: write a percent sign itself as %25');
	}
}

const loginOf = ({ username, password }: URL): RedisOptions => ({
	...(username === '' ? {} : { username: decoded(username) }),
	...(password === '' ? {} : { password: decoded(password) }),
});

function databaseOf(text: string): number {
	if (!/^\d*$/.test(text)) throw new RedisUrlError(`names the database ${JSON.stringify(text)}, expected a number`);
	return Number(text);
}

/** Where a connection leads, for people: a socket's path, host and port, or a master with its sentinels. No user and no password. */
export function addressOf({ path, host, port, sentinels, name }: RedisOptions): string {
	if (!sentinels) return path ?? `${host}:${port}`;
	const list = sentinels.map((sentinel) => `${sentinel.host}:${sentinel.port}`).join(', ');
	return `the master ${JSON.stringify(name)} of ${list}`;
}
