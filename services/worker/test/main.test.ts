import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.js';
import { openService, type Service } from './service.js';

const MAIN = new URL('../dist/main.js', import.meta.url);

let service: Service;
let children: ChildProcess[] = [];
beforeEach(async () => {
	service = await openService();
});
afterEach(async () => {
	for (const child of children) {
		if (child.exitCode !== null || child.signalCode !== null) continue;
		child.kill('SIGKILL');
		await once(child, 'exit');
	}
	children = [];
	await service.close();
});

/** The process as `steelyard serve` forks it. */
function start(env: Record<string, string> = {}): ChildProcess & { output: () => string } {
	const child = fork(MAIN, {
		env: { PATH: process.env['PATH'], STEELYARD_HOME: service.home, STEELYARD_REDIS: JSON.stringify(service.redis.options), ...env },
		stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
	});
	children.push(child);
	let output = '';
	for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text));
	return Object.assign(child, { output: () => output });
}

async function ready(child: ChildProcess): Promise<void> {
	const [message] = await Promise.race([
		once(child, 'message'),
		once(child, 'exit').then(([code]) => expect.unreachable(`it ended with ${code}`)),
	]);
	expect(message).toEqual({ type: 'ready' });
}

describe('the process', () => {
	it('tries the devices, stays below 150 MB, and ends in order on SIGTERM', async () => {
		const child = start();
		await ready(child);
		const [worker] = await service.queue.workers.list();
		expect(worker).toMatchObject({ pid: child.pid, devices: { cpu: { available: true }, cuda: { available: expect.any(Boolean) } } });
		if (process.platform === 'linux') {
			const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
			expect(Number(kilobytes) * 1024).toBeLessThan(150e6);
		}
		const exit = once(child, 'exit');
		child.kill('SIGTERM');
		expect(await exit).toEqual([0, null]);
		expect(await service.queue.workers.list()).toEqual([]);
	});

	it('leaves Ctrl-C to its parent, and ends when the parent has gone', async () => {
		const child = start();
		await ready(child);
		child.kill('SIGINT');
		const exit = once(child, 'exit');
		child.disconnect();
		expect(await exit).toEqual([1, null]);
		expect(child.output()).toContain('the parent has gone');
	});

	it('shows its configuration when it starts, and no secret', async () => {
		const child = start({ REDIS_URL: 'redis://ann:hush@localhost', STEELYARD_CONCURRENCY: '3' });
		await ready(child);
		const line =
			child
				.output()
				.split('\n')
				.find((text) => text.includes('"starting"')) ?? expect.unreachable(child.output());
		expect(JSON.parse(line)).toMatchObject({
			configuration: { STEELYARD_HOME: service.home, STEELYARD_CONCURRENCY: 3, REDIS_URL: 'set, not shown' },
			redis: service.redis.options.path,
		});
		expect(child.output()).not.toMatch(/hush|ann:/);
	});

	it('loads no engine', async () => {
		const child = start({ NODE_DEBUG: 'esm' });
		await ready(child);
		expect(child.output()).not.toMatch(/packages\/(trainer|runtime|onnx|autodiff|optim|weighting)\/|onnxruntime-node/);
		expect(child.output()).toMatch(/packages\/queue\//);
	});

	it.each([
		[{ STEELYARD_REDIS: '' }, /REDIS_URL/],
		[{ STEELYARD_REDIS: '[]' }, /STEELYARD_REDIS must be a JSON object/],
		[{ STEELYARD_CONCURRENCY: 'two' }, /STEELYARD_CONCURRENCY/],
		[{ STEELYARD_LABELS: 'gpu large' }, /STEELYARD_LABELS/],
	])('with %j ends with 1 and says why', async (env, message) => {
		const child = start(env);
		const [code] = await once(child, 'close');
		expect(code).toBe(1);
		expect(child.output()).toMatch(message);
	});
});

describe('the environment', () => {
	it('gives the configuration, with defaults', () => {
		expect(readConfig({ REDIS_URL: 'redis://localhost', STEELYARD_HOME: '/data', STEELYARD_CONCURRENCY: '2' })).toEqual({
			home: '/data',
			bucket: null,
			cacheBytes: 20 * 1024 ** 3,
			redis: { options: { host: 'localhost', port: 6379, db: 0 }, launchedByParent: false },
			prefix: 'steelyard',
			projectRunning: null,
			concurrency: 2,
			labels: [],
			jobMemory: null,
			jobSeconds: null,
			inspection: { ms: 60_000, bytes: 4 * 1024 ** 3 },
			prediction: { ms: 60_000, bytes: 2 * 1024 ** 3 },
			logLevel: 'info',
			traces: false,
		});
	});

	it.each([
		['the inspection of a model', 'inspection', 'STEELYARD_INSPECT'],
		['a prediction', 'prediction', 'STEELYARD_PREDICT'],
	] as const)('limits %s', (_, part, prefix) => {
		const env = { REDIS_URL: 'redis://localhost', [`${prefix}_SECONDS`]: '5', [`${prefix}_MEMORY`]: '1000000000' };
		expect(readConfig(env)[part]).toEqual({ ms: 5000, bytes: 1_000_000_000 });
		expect(() => readConfig({ ...env, [`${prefix}_SECONDS`]: 'long' })).toThrow(`${prefix}_SECONDS`);
		expect(() => readConfig({ ...env, [`${prefix}_MEMORY`]: '1' })).toThrow(`${prefix}_MEMORY`);
	});
});
