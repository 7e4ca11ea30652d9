import type { RedisOptions } from 'ioredis';

/** A URL that does not name a Redis. The message never shows the URL, which may hold a password. */
export class RedisUrlError extends Error {
	override readonly name = 'RedisUrlError';
	readonly code = 'redis_url';
}

/**
 * The connection that a URL names: `redis://[user:password@]host[:port][/database]`, `rediss://…` for TLS, or `unix:/path[?db=database]` for a socket.
 * Throws RedisUrlError, whose message follows the name of where the URL was given.
 */
export function optionsOf(url: string): RedisOptions {
	let parts: URL;
	try {
		parts = new URL(url);
	} catch {
		throw new RedisUrlError('is not a URL: expected redis://[user:password@]host[:port][/database], rediss://… or unix:/path');
	}
	const login = {
		...(parts.username === '' ? {} : { username: decodeURIComponent(parts.username) }),
		...(parts.password === '' ? {} : { password: decodeURIComponent(parts.password) }),
	};
	if (parts.protocol === 'unix:')
		return { path: decodeURIComponent(parts.pathname), ...login, db: databaseOf(parts.searchParams.get('db') ?? '') };
	if (parts.protocol !== 'redis:' && parts.protocol !== 'rediss:')
		throw new RedisUrlError(`begins with ${parts.protocol}, expected redis:, rediss: or unix:`);
	return {
		host: parts.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1',
		port: Number(parts.port || 6379),
		...login,
		db: databaseOf(parts.pathname.slice(1)),
		...(parts.protocol === 'rediss:' ? { tls: {} } : {}),
	};
}

function databaseOf(text: string): number {
	if (!/^\d*$/.test(text)) throw new RedisUrlError(`names the database ${JSON.stringify(text)}, expected a number`);
	return Number(text);
}

/** Where a connection leads, for people: a socket's path, or host and port. No user and no password. */
export const addressOf = ({ path, host, port }: RedisOptions): string => path ?? `${host}:${port}`;
