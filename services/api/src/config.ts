import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { fieldErrors } from '@steelyard/contracts';
import { type Static, Type } from 'typebox';
import Value from 'typebox/value';
import { fromText } from './schemas/from-text.js';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** The environment that the service reads; a variable that is set but empty counts as not set. */
const Environment = Type.Object({
	HOST: Type.String({ default: '127.0.0.1' }),
	PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 8080, description: '0 takes a free one' }),
	STEELYARD_HOME: Type.String({ default: './.steelyard', description: 'the data folder' }),
	REDIS_URL: Type.Optional(Type.String({ pattern: '^(rediss?://|unix:)' })),
	STEELYARD_REDIS: Type.Optional(
		Type.String({ description: 'connection options of ioredis as JSON; given by the process that launched Redis' }),
	),
	STEELYARD_PREFIX: Type.String({
		pattern: '^[A-Za-z0-9_-]{1,40}$',
		default: 'steelyard',
		description: 'of every key in Redis: installations that share a Redis need one each',
	}),
	STEELYARD_API_KEY: Type.Optional(Type.String({ minLength: 8, maxLength: 512 })),
	STEELYARD_UPLOAD_LIMIT: Type.Integer({ minimum: 1, default: 2 * 1024 ** 3, description: 'bytes of one uploaded dataset' }),
	STEELYARD_MODEL_LIMIT: Type.Integer({ minimum: 1, default: 1024 ** 3, description: 'bytes of one uploaded model' }),
	LOG_LEVEL: Type.Unsafe<(typeof LOG_LEVELS)[number]>({ type: 'string', enum: [...LOG_LEVELS], default: 'info' }),
});

export type Config = {
	host: string;
	port: number;
	/** Absolute path of the data folder. */
	home: string;
	/** What ioredis connects with; null where a test or an embedding brings its own queue. */
	redis: { url: string } | { options: Record<string, unknown> } | null;
	/** Of every key in Redis. */
	prefix: string;
	apiKey: string | null;
	/** Bytes of one uploaded dataset. */
	uploadLimit: number;
	/** Bytes of one uploaded model. */
	modelLimit: number;
	logLevel: Static<typeof Environment>['LOG_LEVEL'];
};

/** The environment does not make a configuration; the message names the variable. */
export class ConfigError extends Error {
	override readonly name = 'ConfigError';
	readonly code = 'invalid_config';
}

/** Whether only this machine can reach an address. */
export const isLoopback = (host: string): boolean =>
	host === 'localhost' ||
	host.endsWith('.localhost') ||
	host === '::1' ||
	host === '[::1]' ||
	(isIP(host) === 4 && host.startsWith('127.'));

function redisOf({ REDIS_URL, STEELYARD_REDIS }: Static<typeof Environment>): Config['redis'] {
	if (REDIS_URL !== undefined) return { url: REDIS_URL };
	if (STEELYARD_REDIS === undefined) return null;
	let options: unknown;
	try {
		options = JSON.parse(STEELYARD_REDIS);
	} catch {
		options = undefined;
	}
	// The value may hold a password, so it is not shown.
	if (typeof options !== 'object' || options === null || Array.isArray(options))
		throw new ConfigError('STEELYARD_REDIS must be a JSON object');
	return { options: options as Record<string, unknown> };
}

/** Reads the environment. Throws ConfigError. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
	const given = Object.fromEntries(Object.keys(Environment.properties).flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
	const value = Value.Default(Environment, fromText(Environment, given));
	if (!Value.Check(Environment, value)) {
		const first = fieldErrors(Environment, value)[0];
		const secret = first?.param === 'STEELYARD_API_KEY' || first?.param === 'REDIS_URL';
		throw new ConfigError(`${first?.param} ${secret ? first.detail.replace(/, found .*/s, '') : first?.detail}`);
	}
	const apiKey = value.STEELYARD_API_KEY ?? null;
	if (apiKey === null && !isLoopback(value.HOST)) {
		throw new ConfigError(`HOST=${value.HOST} can be reached from other machines: set STEELYARD_API_KEY, or keep HOST=127.0.0.1`);
	}
	return {
		host: value.HOST,
		port: value.PORT,
		home: resolve(value.STEELYARD_HOME),
		redis: redisOf(value),
		prefix: value.STEELYARD_PREFIX,
		apiKey,
		uploadLimit: value.STEELYARD_UPLOAD_LIMIT,
		modelLimit: value.STEELYARD_MODEL_LIMIT,
		logLevel: value.LOG_LEVEL,
	};
}

/** The configuration as it may be printed: no key, no password, no user of Redis. */
export function shownConfig({ apiKey, redis, ...rest }: Config): Record<string, unknown> {
	const at = (url: string) => {
		const { protocol, host, pathname } = new URL(url);
		return `${protocol}//${host}${pathname}`;
	};
	return {
		...rest,
		api_key: apiKey === null ? 'none' : 'set',
		redis: redis === null ? 'none' : 'url' in redis ? at(redis.url) : (redis.options.path ?? `${redis.options.host}:${redis.options.port}`),
	};
}
