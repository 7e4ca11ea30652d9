import { resolve } from 'node:path';
import { fieldErrors } from '@steelyard/contracts';
import { type Static, Type } from 'typebox';
import Value from 'typebox/value';
import { type InspectionLimits, LIMITS } from './inspect-process.js';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** The environment that the worker reads; a variable that is set but empty counts as not set. */
const Environment = Type.Object({
	STEELYARD_HOME: Type.String({ default: './.steelyard', description: 'the data folder, shared with the API' }),
	REDIS_URL: Type.Optional(Type.String({ pattern: '^(rediss?|unix)://' })),
	STEELYARD_REDIS: Type.Optional(
		Type.String({ description: 'connection options of ioredis as JSON; given by the process that launched Redis' }),
	),
	STEELYARD_PREFIX: Type.String({
		pattern: '^[A-Za-z0-9_-]{1,40}$',
		default: 'steelyard',
		description: 'of every key in Redis: installations that share a Redis need one each',
	}),
	STEELYARD_CONCURRENCY: Type.Integer({ minimum: 1, maximum: 64, default: 1, description: 'jobs at one time' }),
	STEELYARD_INSPECT_SECONDS: Type.Integer({
		minimum: 1,
		maximum: 3600,
		default: LIMITS.ms / 1000,
		description: 'longest inspection of an uploaded model',
	}),
	STEELYARD_INSPECT_MEMORY: Type.Integer({
		minimum: 256 * 1024 ** 2,
		default: LIMITS.bytes,
		description: 'bytes of memory that the inspection of an uploaded model may take',
	}),
	LOG_LEVEL: Type.Unsafe<(typeof LOG_LEVELS)[number]>({ type: 'string', enum: [...LOG_LEVELS], default: 'info' }),
});

export type Config = {
	/** Absolute path of the data folder. */
	home: string;
	/** What ioredis connects with. */
	redis: { url: string } | { options: Record<string, unknown> };
	/** Of every key in Redis. */
	prefix: string;
	concurrency: number;
	/** Of one uploaded model. */
	inspection: InspectionLimits;
	logLevel: Static<typeof Environment>['LOG_LEVEL'];
};

/** The environment does not make a configuration; the message names the variable. */
export class ConfigError extends Error {
	override readonly name = 'ConfigError';
	readonly code = 'invalid_config';
}

function redisOf({ REDIS_URL, STEELYARD_REDIS }: Static<typeof Environment>): Config['redis'] {
	if (STEELYARD_REDIS !== undefined) {
		try {
			const options: unknown = JSON.parse(STEELYARD_REDIS);
			if (typeof options === 'object' && options !== null && !Array.isArray(options))
				return { options: options as Record<string, unknown> };
		} catch {
			// Told below. The value may hold a password, so it is not shown.
		}
		throw new ConfigError('STEELYARD_REDIS must be a JSON object');
	}
	if (REDIS_URL !== undefined) return { url: REDIS_URL };
	throw new ConfigError('Set REDIS_URL, or start the whole service by "steelyard serve", which brings its own Redis');
}

/** Reads the environment. Throws ConfigError. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
	const given: Record<string, unknown> = {};
	for (const [name, schema] of Object.entries(Environment.properties)) {
		const text = env[name];
		if (text) given[name] = (schema as { type?: string }).type === 'integer' && /^\d+$/.test(text) ? Number(text) : text;
	}
	const value = Value.Default(Environment, given);
	if (!Value.Check(Environment, value)) {
		const first = fieldErrors(Environment, value)[0];
		const detail = first?.param === 'REDIS_URL' ? first.detail.replace(/, found .*/s, '') : first?.detail;
		throw new ConfigError(`${first?.param} ${detail}`);
	}
	return {
		home: resolve(value.STEELYARD_HOME),
		redis: redisOf(value),
		prefix: value.STEELYARD_PREFIX,
		concurrency: value.STEELYARD_CONCURRENCY,
		inspection: { ms: value.STEELYARD_INSPECT_SECONDS * 1000, bytes: value.STEELYARD_INSPECT_MEMORY },
		logLevel: value.LOG_LEVEL,
	};
}
