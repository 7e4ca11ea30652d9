import { resolve } from 'node:path';
import { ConfigError } from '@steelyard/service-process';
import { describe, expect, it } from 'vitest';
import { isLoopback, readConfig } from '../src/config.js';

describe('the configuration', () => {
	it('binds loopback without a key by default, and counts an empty variable as not set', () => {
		expect(readConfig({ PORT: '', STEELYARD_API_KEY: '' })).toEqual({
			host: '127.0.0.1',
			port: 8080,
			home: resolve('.steelyard'),
			bucket: null,
			cacheBytes: 20 * 1024 ** 3,
			redis: null,
			prefix: 'steelyard',
			projectRunning: null,
			projectQueued: 10_000,
			apiKey: null,
			uploadLimit: 2 ** 31,
			modelLimit: 2 ** 30,
			reading: { ms: 900_000, bytes: 2 ** 30 },
			reserve: null,
			retention: { days: null, count: null, bytes: null },
			projectBytes: null,
			proxies: [],
			webhookNetworks: [],
			limits: { rate: 30_000 },
			job: { memory: null, work: 1e18, checkpoints: null },
			logLevel: 'info',
			traces: false,
		});
	});

	it('reads every variable', () => {
		const env = {
			HOST: '0.0.0.0',
			PORT: '0',
			STEELYARD_HOME: '/data',
			STEELYARD_STORE: 's3://ward/three?region=eu-central-1',
			STEELYARD_CACHE_BYTES: '9000',
			STEELYARD_REDIS: '{"path":"/run/redis.sock"}',
			STEELYARD_API_KEY: 'a-long-enough-key',
			STEELYARD_UPLOAD_LIMIT: '1000',
			STEELYARD_MODEL_LIMIT: '500',
			STEELYARD_DATASET_SECONDS: '5',
			STEELYARD_KEEP_DAYS: '0.5',
			STEELYARD_KEEP_JOBS: '7',
			STEELYARD_KEEP_BYTES: '8',
			STEELYARD_DISK_RESERVE: '5000',
			STEELYARD_RATE: '70',
			STEELYARD_PROJECT_BYTES: '3000',
			STEELYARD_PROXIES: '10.0.0.7, fd00::/8',
			STEELYARD_WEBHOOK_NETWORKS: '127.0.0.1, fd00::/8',
			STEELYARD_JOB_MEMORY: String(2 ** 30),
			STEELYARD_JOB_WORK: '1000000000000',
			STEELYARD_JOB_CHECKPOINT_BYTES: '7000',
			STEELYARD_DATASET_MEMORY: String(2 ** 28),
			STEELYARD_PREFIX: 'ward-3',
			STEELYARD_PROJECT_RUNNING: '3',
			STEELYARD_PROJECT_QUEUED: '40',
			LOG_LEVEL: 'debug',
		};
		expect(readConfig(env)).toEqual({
			host: '0.0.0.0',
			port: 0,
			home: '/data',
			bucket: { bucket: 'ward', prefix: 'three', endpoint: null, region: 'eu-central-1', pathStyle: false },
			cacheBytes: 9000,
			redis: { options: { path: '/run/redis.sock' }, launchedByParent: true },
			prefix: 'ward-3',
			projectRunning: 3,
			projectQueued: 40,
			apiKey: 'a-long-enough-key',
			uploadLimit: 1000,
			modelLimit: 500,
			reading: { ms: 5000, bytes: 2 ** 28 },
			reserve: 5000,
			retention: { days: 0.5, count: 7, bytes: 8 },
			projectBytes: 3000,
			proxies: ['10.0.0.7', 'fd00::/8'],
			webhookNetworks: ['127.0.0.1', 'fd00::/8'],
			limits: { rate: 70 },
			job: { memory: 2 ** 30, work: 1e12, checkpoints: 7000 },
			logLevel: 'debug',
			traces: false,
		});
	});

	it.each(['0.0.0.0', '::', '192.168.1.4', 'ward.example'])('demands a key for %s, which other machines can reach', (HOST) => {
		expect(() => readConfig({ HOST })).toThrow(/set STEELYARD_API_KEY/);
		expect(readConfig({ HOST, STEELYARD_API_KEY: '12345678' }).host).toBe(HOST);
	});

	it('knows the names and addresses of this machine alone', () => {
		expect(['localhost', '127.0.0.1', '127.9.9.9', '::1', '[::1]', 'a.localhost'].map(isLoopback)).toEqual(Array(6).fill(true));
		expect(['127.0.0.1.example.com', '127.evil', 'localhost.example.com', '0.0.0.0', '::', '10.0.0.1'].map(isLoopback)).toEqual(
			Array(6).fill(false),
		);
	});

	it.each([
		[{ PORT: 'http' }, /^PORT must be integer, found "http"/],
		[{ PORT: '65536' }, /^PORT/],
		[{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL must be one of .*"info"/],
		[{ STEELYARD_UPLOAD_LIMIT: '-1' }, /^STEELYARD_UPLOAD_LIMIT/],
		[{ STEELYARD_MODEL_LIMIT: 'much' }, /^STEELYARD_MODEL_LIMIT must be integer/],
		[{ STEELYARD_PROXIES: '10.0.0.7,proxy' }, /^STEELYARD_PROXIES must be addresses .*"proxy"/],
		[{ STEELYARD_PROXIES: '10.0.0.7/33' }, /^STEELYARD_PROXIES/],
		[{ STEELYARD_WEBHOOK_NETWORKS: 'localhost' }, /^STEELYARD_WEBHOOK_NETWORKS must be addresses .*"localhost"/],
		[{ STEELYARD_API_KEY: 'short' }, /^STEELYARD_API_KEY (?!.*short)/],
		[{ STEELYARD_API_KEY: 'with a space' }, /^STEELYARD_API_KEY (?!.*space)/],
		[{ STEELYARD_API_KEY: 'with-a-newline\n' }, /^STEELYARD_API_KEY (?!.*newline)/],
		[{ STEELYARD_API_KEY: 'schlüssel-wort' }, /^STEELYARD_API_KEY (?!.*wort)/],
	])('refuses %j by the name of the variable and shows no secret', (env, message) => {
		expect(() => readConfig(env)).toThrow(ConfigError);
		expect(() => readConfig(env)).toThrow(message);
	});
});
