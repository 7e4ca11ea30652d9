import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { optionsOf, type RedisOptions, RedisUrlError } from '@steelyard/redis';
import { type S3Address, S3AddressError, s3AddressOf } from '@steelyard/store';
import type { Static } from 'typebox';
import { ConfigError } from './environment.js';
import type { redisVariables, ServiceEnvironment } from './variables.js';

/** Where Redis is: one that the process which started this one has launched and checked, or one that the user named. */
export type RedisSetting = { options: RedisOptions; launchedByParent: boolean };

/** What every process of the service is configured with. */
export type ServiceConfig = {
	/** Absolute path of the data folder. */
	home: string;
	/** Where the store lies, if not in the data folder; null where it does. */
	bucket: S3Address | null;
	/** The most bytes of the copies that the data folder keeps of what lies elsewhere. */
	cacheBytes: number;
	/** null where neither STEELYARD_REDIS nor REDIS_URL is set. */
	redis: RedisSetting | null;
	/** The beginning of every key in Redis. */
	prefix: string;
	/** The most jobs of a project that run at the same time; null for any number. */
	projectRunning: number | null;
	logLevel: Static<typeof ServiceEnvironment>['LOG_LEVEL'];
	/** Whether there is a collector for traces. */
	traces: boolean;
};

/** The options that a parent process has written to STEELYARD_REDIS. Throws ConfigError, which does not show them: they may hold a password. */
function launchedRedis(json: string): RedisOptions {
	let options: unknown;
	try {
		options = JSON.parse(json);
	} catch {
		options = null;
	}
	if (typeof options !== 'object' || options === null || Array.isArray(options))
		throw new ConfigError('STEELYARD_REDIS must be a JSON object');
	return options as RedisOptions;
}

/** The certificates in a file. Throws ConfigError where it cannot be read, or has none. */
function certificatesIn(file: string): string {
	let text: string;
	try {
		text = readFileSync(file, 'utf8');
	} catch (error) {
		throw new ConfigError(`REDIS_CA_FILE cannot be read: ${(error as Error).message}`);
	}
	try {
		new X509Certificate(text);
	} catch {
		throw new ConfigError(`REDIS_CA_FILE must be a file with a certificate as PEM; ${file} has none`);
	}
	return text;
}

/** The values of `redisVariables`. */
export type RedisVariables = Partial<Record<keyof typeof redisVariables, string | undefined>>;

/** How to connect to the Redis that REDIS_URL names; null where it is not set. Throws ConfigError, which shows no password. */
export function namedRedis(values: RedisVariables): RedisOptions | null {
	const { REDIS_URL, REDIS_CA_FILE, REDIS_SENTINEL_USERNAME: sentinelUsername, REDIS_SENTINEL_PASSWORD: sentinelPassword } = values;
	if (!REDIS_URL) return null;
	const ca = REDIS_CA_FILE ? certificatesIn(REDIS_CA_FILE) : undefined;
	try {
		return optionsOf(REDIS_URL, { ca, sentinelUsername: sentinelUsername || undefined, sentinelPassword: sentinelPassword || undefined });
	} catch (error) {
		throw error instanceof RedisUrlError ? new ConfigError(`REDIS_URL ${error.message}`) : error;
	}
}

/** Where the store lies that STEELYARD_STORE names. Throws ConfigError. */
export function bucketOf(address: string): S3Address {
	try {
		return s3AddressOf(address);
	} catch (error) {
		throw error instanceof S3AddressError ? new ConfigError(`STEELYARD_STORE: ${error.message}`) : error;
	}
}

/** STEELYARD_REDIS wins over REDIS_URL: a parent that gives a Redis has launched it for this process. */
function redisOf({ STEELYARD_REDIS, ...values }: Static<typeof ServiceEnvironment>): RedisSetting | null {
	if (STEELYARD_REDIS !== undefined) return { options: launchedRedis(STEELYARD_REDIS), launchedByParent: true };
	const options = namedRedis(values);
	return options === null ? null : { options, launchedByParent: false };
}

/** The shared part of a configuration, from variables that were read. Throws ConfigError. */
export const serviceConfigOf = (values: Static<typeof ServiceEnvironment>): ServiceConfig => ({
	home: resolve(values.STEELYARD_HOME),
	bucket: values.STEELYARD_STORE === undefined ? null : bucketOf(values.STEELYARD_STORE),
	cacheBytes: values.STEELYARD_CACHE_BYTES,
	redis: redisOf(values),
	prefix: values.STEELYARD_PREFIX,
	projectRunning: values.STEELYARD_PROJECT_RUNNING ?? null,
	logLevel: values.LOG_LEVEL,
	traces:
		(values.OTEL_EXPORTER_OTLP_ENDPOINT ?? values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) !== undefined &&
		values.OTEL_TRACES_EXPORTER !== 'none' &&
		values.OTEL_SDK_DISABLED?.toLowerCase() !== 'true',
});
