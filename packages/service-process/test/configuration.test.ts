import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { rootCertificates } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { ConfigError, readEnvironment, ServiceEnvironment, serviceConfigOf } from '../src/index.js';

const CERTIFICATE = rootCertificates[0] as string;

const configOf = (variables: Record<string, string>) => serviceConfigOf(readEnvironment(ServiceEnvironment, variables));

describe('the configuration that every process of the service has', () => {
	it('names no Redis where nothing does, and has the data folder by its absolute path', () => {
		expect(configOf({})).toEqual({
			home: resolve('.steelyard'),
			bucket: null,
			cacheBytes: 20 * 1024 ** 3,
			redis: null,
			prefix: 'steelyard',
			projectRunning: null,
			logLevel: 'info',
			traces: false,
		});
	});

	it.each([
		[{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, true],
		[{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:4318/v1/traces' }, true],
		[{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, false],
		[{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_SDK_DISABLED: 'True' }, false],
		[{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_TRACES_EXPORTER: 'none' }, false],
	])('with %j makes traces: %s', (variables, traces) => {
		expect(configOf(variables as Record<string, string>).traces).toBe(traces);
	});

	it.each([
		['redis://r:1/2', { host: 'r', port: 1, db: 2 }],
		['unix:/run/redis.sock', { path: '/run/redis.sock', db: 0 }],
		['unix:///run/redis.sock', { path: '/run/redis.sock', db: 0 }],
	])('takes the Redis at REDIS_URL=%s', (url, options) => {
		expect(configOf({ REDIS_URL: url }).redis).toEqual({ options, launchedByParent: false });
	});

	it('takes the master that sentinels name, with their login', () => {
		const variables = {
			REDIS_URL: 'redis+sentinel://:hush@a,b/wards',
			REDIS_SENTINEL_USERNAME: 'ann',
			REDIS_SENTINEL_PASSWORD: 'hush too',
		};
		expect(configOf(variables).redis?.options).toMatchObject({
			...{ name: 'wards', password: 'hush', sentinelUsername: 'ann', sentinelPassword: 'hush too' },
			sentinels: [{ host: 'a' }, { host: 'b' }],
		});
	});

	it('takes the certificates of REDIS_CA_FILE, and refuses a file that cannot be read, or has none', async () => {
		const folder = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
		try {
			const [file, none] = [join(folder, 'ca.pem'), join(folder, 'none.pem')];
			await writeFile(file, CERTIFICATE);
			await writeFile(none, 'hush');
			expect(configOf({ REDIS_URL: 'rediss://r', REDIS_CA_FILE: file }).redis?.options.tls).toEqual({ ca: CERTIFICATE });
			expect(() => configOf({ REDIS_URL: 'rediss://r', REDIS_CA_FILE: none })).toThrow(
				/^REDIS_CA_FILE must be a file with a certificate as PEM/,
			);
			expect(() => configOf({ REDIS_URL: 'rediss://r', REDIS_CA_FILE: join(folder, 'not') })).toThrow(
				/^REDIS_CA_FILE cannot be read: ENOENT/,
			);
		} finally {
			await rm(folder, { recursive: true });
		}
	});

	it('takes a prefix in braces, by which a cluster keeps all keys in one slot', () => {
		expect(configOf({ STEELYARD_PREFIX: '{wards}' }).prefix).toBe('{wards}');
		expect(() => configOf({ STEELYARD_PREFIX: '{wards' })).toThrow(/^STEELYARD_PREFIX /);
	});

	it('takes the Redis that a parent has launched, also where REDIS_URL is set', () => {
		const redis = { options: { path: '/run/redis.sock' }, launchedByParent: true };
		expect(configOf({ STEELYARD_REDIS: '{"path":"/run/redis.sock"}' }).redis).toEqual(redis);
		expect(configOf({ STEELYARD_REDIS: '{"path":"/run/redis.sock"}', REDIS_URL: 'redis://r' }).redis).toEqual(redis);
		expect(configOf({ STEELYARD_REDIS: '', REDIS_URL: 'redis://r' }).redis).toMatchObject({ options: { host: 'r' } });
	});

	it.each([
		[{ STEELYARD_REDIS: '[1' }, /^STEELYARD_REDIS must be a JSON object$/],
		[{ STEELYARD_REDIS: '["hush"]' }, /^STEELYARD_REDIS must be a JSON object$/],
		[
			{ REDIS_URL: 'http://:hush@x' },
			/^REDIS_URL begins with http:, expected redis:, rediss:, unix:, redis\+sentinel: or rediss\+sentinel:$/,
		],
		[{ REDIS_URL: 'hush' }, /^REDIS_URL is not a URL: (?!.*hush)/],
		[{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL must be one of .*"info"/],
		[{ STEELYARD_PREFIX: 'a b' }, /^STEELYARD_PREFIX /],
	])('is refused with %j by the name of the variable, and no secret is shown', (variables, message) => {
		expect(() => configOf(variables)).toThrow(ConfigError);
		expect(() => configOf(variables)).toThrow(message);
	});
});
