import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatasetResource, JobResource } from '@steelyard/contracts';
import { launchRedis, type RedisHandle } from '@steelyard/redis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { datasetArchive } from './archive.js';

const MAIN = new URL('../dist/main.js', import.meta.url);

let home: string;
let redis: RedisHandle;
let children: ChildProcess[] = [];
beforeAll(async () => {
	home = await mkdtemp(join(tmpdir(), 'steelyard-api-'));
	redis = await launchRedis({ home, binary: null });
});
afterEach(async () => {
	for (const child of children) {
		if (child.exitCode !== null || child.signalCode !== null) continue;
		child.kill('SIGKILL');
		await once(child, 'exit');
	}
	children = [];
});
afterAll(async () => {
	await redis.close();
	await rm(home, { recursive: true, force: true });
});

/** The process as `steelyard serve` forks it. */
function start(env: Record<string, string> = {}, sink: 'pipe' | number = 'pipe'): ChildProcess & { output: () => string } {
	const child = fork(MAIN, {
		env: { PATH: process.env.PATH, PORT: '0', STEELYARD_HOME: home, STEELYARD_REDIS: JSON.stringify(redis.options), ...env },
		stdio: ['ignore', sink, sink, 'ipc'],
	});
	children.push(child);
	let output = '';
	for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text));
	return Object.assign(child, { output: () => output });
}
async function listening(child: ChildProcess): Promise<string> {
	const [message] = await Promise.race([
		once(child, 'message'),
		once(child, 'exit').then(([code]) => expect.unreachable(`it ended with ${code}`)),
	]);
	expect(message).toEqual({ type: 'listening', address: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) });
	return message.address;
}

describe('the process', () => {
	it('tells its parent where it listens, stays below 150 MB at work, and ends in order on SIGTERM while a stream stands open', async () => {
		const child = start();
		const address = await listening(child);
		const readiness = await fetch(`${address}/readyz`);
		expect(readiness.status).toBe(200);
		const body = await datasetArchive('binary');
		let dataset = '';
		for (let i = 0; i < 20; i++) {
			const response = await fetch(`${address}/v1/datasets`, { method: 'POST', headers: { 'content-type': 'application/zip' }, body });
			dataset = ((await response.json()) as DatasetResource).id;
		}
		const posted = await fetch(`${address}/v1/jobs`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ dataset }),
		});
		const { id } = (await posted.json()) as JobResource;
		for (let i = 0; i < 300; i++) await (await fetch(`${address}/v1/jobs/${id}`)).text();
		const stream = await fetch(`${address}/v1/jobs/${id}/events`, { headers: { accept: 'text/event-stream' } });
		const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
		let text = '';
		while (!text.includes('event: status')) text += (await reader?.read())?.value;
		const metrics = await (await fetch(`${address}/metrics`)).text();
		expect(Number(/^process_resident_memory_bytes (\d+)$/m.exec(metrics)?.[1])).toBeLessThan(150e6);
		const exit = once(child, 'exit');
		child.kill('SIGTERM');
		expect(await exit).toEqual([0, null]);
		expect(await reader?.read()).toEqual({ done: true, value: undefined });
		await expect(fetch(`${address}/healthz`)).rejects.toThrow('fetch failed');
	});

	it.skipIf(process.platform !== 'linux')('answers on while its log has no room', async () => {
		const full = await open('/dev/full', 'w');
		const child = start({ LOG_LEVEL: 'debug' }, full.fd);
		await full.close();
		const address = await listening(child);
		for (let i = 0; i < 20; i++) expect((await fetch(`${address}/v1/jobs`)).status).toBe(200);
	});

	it('leaves Ctrl-C to its parent, and ends when the parent has gone', async () => {
		const child = start();
		const address = await listening(child);
		child.kill('SIGINT');
		expect((await fetch(`${address}/healthz`)).status).toBe(200);
		const exit = once(child, 'exit');
		child.disconnect();
		expect(await exit).toEqual([0, null]);
	});

	it('loads no engine', async () => {
		const child = start({ NODE_DEBUG: 'module,esm' });
		await listening(child);
		expect(child.output()).not.toMatch(
			/onnxruntime|@steelyard\/(trainer|runtime|onnx|autodiff|optim|weighting)|packages\/(trainer|runtime|onnx|autodiff|optim|weighting)\//,
		);
		expect(child.output()).toMatch(/fastify/);
	});

	it.each([
		[{ HOST: '0.0.0.0' }, /set STEELYARD_API_KEY/],
		[{ PORT: 'x' }, /PORT/],
		[{ STEELYARD_REDIS: '' }, /REDIS_URL/],
	])('with %j ends with 1 and says why', async (env, message) => {
		const child = start(env);
		const [code] = await once(child, 'close');
		expect(code).toBe(1);
		expect(child.output()).toMatch(message);
	});

	it('shows no key when it starts', async () => {
		const child = start({ STEELYARD_API_KEY: 'very-secret-key' });
		const address = await listening(child);
		expect((await fetch(`${address}/v1/jobs`)).status).toBe(401);
		expect(child.output()).toContain('starting');
		expect(child.output()).not.toContain('very-secret-key');
	});
});
