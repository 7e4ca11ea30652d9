import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '@steelyard/client';
import type { JobStatus } from '@steelyard/contracts';
import { connect, serverOnPath } from '@steelyard/redis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ended, until } from '../packages/redis/test/servers.js';
import { type Running, serve } from './serving.js';

/** What `previous/write.js` has kept of a service of the version before, all of whose processes were killed. */
const FIXTURE = fileURLToPath(new URL('previous/fixtures', import.meta.url));
const SERVER = serverOnPath();

type Left = {
	admin: string;
	token: string;
	key: string;
	dataset: string;
	jobs: Record<'succeeded' | 'interrupted' | 'queued' | 'paused' | 'cancelled', string>;
	sweep: string;
};

describe.skipIf(SERVER === null).each([
	['with its Redis', true],
	['with a Redis that is empty', false],
])('the data folder of the previous version, %s,', (_, hasRedis) => {
	let work: string;
	let left: Left;
	let service: Running | undefined;
	let client: Client;
	let endRedis: () => Promise<void>;
	beforeEach(async () => {
		work = await mkdtemp(join(tmpdir(), 'steelyard-previous-'));
		left = JSON.parse(await readFile(join(FIXTURE, 'left.json'), 'utf8')) as Left;
		await cp(join(FIXTURE, 'store'), join(work, 'home'), { recursive: true });
		const socket = join(work, 'redis.sock');
		const settings = ['--port', '0', '--unixsocket', socket, '--dir', work, '--save', '', '--maxmemory-policy', 'noeviction'];
		const server = spawn(SERVER as string, settings, { stdio: 'ignore' });
		endRedis = async () => {
			server.kill('SIGKILL');
			await ended(server);
		};
		const redis = connect({ path: socket }, { maxRetriesPerRequest: null });
		redis.on('error', () => {});
		const commands = (await readFile(join(FIXTURE, 'redis.jsonl'), 'utf8')).trim().split('\n');
		if (hasRedis) for (const line of commands) await redis.call(...(JSON.parse(line) as [string, ...string[]]));
		await redis.ping();
		redis.disconnect();
		service = await serve(join(work, 'home'), { REDIS_URL: `unix:${socket}`, STEELYARD_API_KEY: left.admin, LOG: '' });
		client = createClient({ url: service.url, apiKey: left.token });
	});
	afterEach(async () => {
		await service?.stop();
		await endRedis();
		await rm(work, { recursive: true });
	});

	it('is opened with everything in it; what was queued or interrupted ends', async () => {
		const { jobs } = left;
		const statusOf = async (id: string): Promise<JobStatus> => (await client.jobs.get(id)).status;
		expect((await client.datasets.list()).data).toMatchObject([{ id: left.dataset, name: 'Ward' }]);
		expect(await client.datasets.get(left.dataset)).toMatchObject({ id: left.dataset, name: 'Ward' });

		const { status, result, artifacts } = await client.jobs.get(jobs.succeeded);
		expect([status, result?.epochs]).toEqual(['succeeded', expect.any(Number)]);
		const model = artifacts.find(({ name }) => name === 'model.onnx');
		const answer = await fetch(`${service?.url}/v1/jobs/${jobs.succeeded}/artifacts/model.onnx`, {
			headers: { authorization: `Bearer ${left.token}` },
		});
		const bytes = Buffer.from(await answer.arrayBuffer());
		expect(createHash('sha256').update(bytes).digest('hex')).toBe(model?.sha256);

		expect(await client.sweeps.get(left.sweep)).toMatchObject({ status: 'succeeded', counts: { completed: 2 } });
		const keys = await createClient({ url: service?.url as string, apiKey: left.admin }).keys.list();
		expect(keys.data).toMatchObject([{ id: left.key, name: 'Ada', scope: 'train' }]);

		await until(async () => (await statusOf(jobs.queued)) === 'succeeded' && (await statusOf(jobs.interrupted)) === 'succeeded');
		// It went on from its checkpoint: the two attempts before were of the previous version.
		expect(await client.jobs.get(jobs.interrupted)).toMatchObject({ attempt: 3, result: { epochs: expect.any(Number) } });
		expect([await statusOf(jobs.paused), await statusOf(jobs.cancelled)]).toEqual(['paused', 'cancelled']);
		await client.jobs.resume(jobs.paused);
		await until(async () => (await statusOf(jobs.paused)) === 'succeeded');
		expect((await client.jobs.list({ limit: 100 })).data).toHaveLength(7);
	});
});
