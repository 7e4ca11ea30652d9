import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Abilities, JobResource } from '@steelyard/contracts';
import type { RedisHandle } from '@steelyard/redis';
import type { Store } from '@steelyard/store';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ended, until, ways } from '../../redis/test/servers.js';
import { openQueue, type Queue, type Work, type WorkOptions } from '../src/index.js';
import { queueOf } from '../src/pools.js';
import { withEmptiedRedis } from './emptied-redis.js';
import { DELIVERIES, newJob, outcome } from './job.js';

const WORKER = fileURLToPath(new URL('fixtures/worker.mjs', import.meta.url));
const GIBIBYTE = 1024 ** 3;

const PLAIN: Abilities = { devices: [], memory: 0, labels: [] };
const CUDA: Abilities = { devices: ['cuda'], memory: 0, labels: [] };

const needing = (spec: Partial<JobResource['spec']>): JobResource => {
	const job = newJob();
	return { ...job, spec: { ...job.spec, ...spec } };
};

for (const { way, absent, start } of ways)
	describe.skipIf(absent)(`which worker gets a job, on ${way}`, () => {
		let redis: RedisHandle;
		let raw: Redis;
		let folder: string;
		let store: Store;
		let queue: Queue;
		const works: Work[] = [];
		let ran: { id: string; by: string }[];

		/** Runs jobs as `by`, each to its end. */
		const work = (by: string, abilities: Abilities, options: Partial<WorkOptions> = {}): Work => {
			const begun = queue.work({
				checkMs: 50,
				lockMs: 300,
				abilities,
				async process(id) {
					ran.push({ id, by });
					return { status: 'succeeded', ...outcome };
				},
				...options,
			});
			works.push(begun);
			return begun;
		};
		const post = async (spec: Partial<JobResource['spec']> = {}, job = needing(spec)): Promise<string> => {
			await queue.jobs.create(job);
			await queue.enqueue(job.id);
			return job.id;
		};
		const reaches = (id: string, status: JobResource['status']) => until(async () => (await queue.jobs.get(id))?.status === status);
		/** A worker that begins the next job, never ends it, and is killed. */
		const lostWorker = async (id: string, abilities: Abilities) => {
			const child = fork(WORKER, [JSON.stringify({ redis: redis.options, folder, lockMs: 300, abilities })], { execArgv: [] });
			expect(await once(child, 'message')).toContain(id);
			child.kill('SIGKILL');
			await ended(child);
		};
		/** Has Redis count as long ago what killed workers said last. */
		const forgetTheKilled = () => raw.del('steelyard:2:working');

		withEmptiedRedis(start, (emptied) => ({ redis, raw, folder, store } = emptied));
		beforeEach(async () => {
			ran = [];
			queue = await openQueue({ redis: redis.options, store });
		});
		afterEach(async () => {
			for (const one of works.splice(0)) await one.close(5000);
			await queue.close();
		});

		it('has one for cuda wait, which others pass by, until a worker comes that has it', async () => {
			work('plain', PLAIN);
			const waits = await post({ device: 'cuda' });
			for (const device of ['cpu', 'auto'] as const) await reaches(await post({ device }), 'succeeded');
			expect(await queue.jobs.get(waits)).toMatchObject({ status: 'queued', attempt: 0 });
			work('gpu', CUDA);
			await reaches(waits, 'succeeded');
			expect(ran.at(-1)).toEqual({ id: waits, by: 'gpu' });
		});

		it('asks for all labels and enough memory at once', async () => {
			work('labels', { devices: [], memory: 4, labels: ['gpu-large', 'site=berlin'] });
			work('memory', { devices: [], memory: 16, labels: ['site=berlin'] });
			const both = await post({ requires: { labels: ['gpu-large'], memory_bytes: 8 * GIBIBYTE } });
			const large = await post({ requires: { memory_bytes: 15 * GIBIBYTE + 1, labels: ['site=berlin'] } });
			const labelled = await post({ requires: { labels: ['site=berlin', 'gpu-large'] } });
			for (const id of [large, labelled]) await reaches(id, 'succeeded');
			expect(ran.find(({ id }) => id === large)?.by).toBe('memory');
			expect(ran.find(({ id }) => id === labelled)?.by).toBe('labels');
			expect((await queue.jobs.get(both))?.status).toBe('queued');
			work('all', { devices: [], memory: 8, labels: ['gpu-large'] });
			await reaches(both, 'succeeded');
		});

		it('gives a job to whichever pool has a free worker, also where it waits for a busy one of another', async () => {
			let finish = () => {};
			const finished = new Promise<void>((resolve) => {
				finish = resolve;
			});
			const busy: string[] = [];
			work('gpu', CUDA, {
				async process(id) {
					busy.push(id);
					await finished;
					return { status: 'succeeded', ...outcome };
				},
			});
			const long = await post();
			await until(() => busy.includes(long));
			const next = await post();
			// As where it was handed over for a worker that has ended since.
			const lying = await post();
			await raw.hset(`steelyard:2:job:${lying}`, { queue: queueOf(CUDA) });
			await raw.lpush(`steelyard:2:deliveries:${queueOf(CUDA)}:wait`, lying);
			await raw.hset(`steelyard:2:deliveries:${queueOf(CUDA)}:${lying}`, {
				name: 'training',
				data: '{}',
				opts: '{}',
				timestamp: 1,
				delay: 0,
				priority: 0,
			});
			work('plain', PLAIN);
			for (const id of [next, lying]) await reaches(id, 'succeeded');
			expect(ran.map(({ by }) => by)).toEqual(['plain', 'plain']);
			finish();
			await reaches(long, 'succeeded');
		});

		it('gives what a killed worker ran, and what waited for it, to others where none of its pool is left', async () => {
			const running = await post();
			await lostWorker(running, CUDA);
			const waits = await post();
			await forgetTheKilled();
			work('plain', PLAIN);
			for (const id of [running, waits]) await reaches(id, 'succeeded');
			expect(await queue.jobs.get(running)).toMatchObject({ attempt: 2 });
			expect(await queue.jobs.get(waits)).toMatchObject({ attempt: 1 });
		});

		it('has a job queued again whose worker was killed, where no other has what it needs', async () => {
			const lost = await post({ device: 'cuda' });
			await lostWorker(lost, CUDA);
			await forgetTheKilled();
			work('plain', PLAIN);
			await reaches(lost, 'queued');
			await reaches(await post(), 'succeeded');
			work('gpu', CUDA);
			await reaches(lost, 'succeeded');
		});

		it('gives back what a worker did not end to the other pools when it closes', async () => {
			const begun: string[] = [];
			const closing = work('gpu', CUDA, {
				process: (id, { signal }) =>
					new Promise((resolve) => {
						begun.push(id);
						signal.addEventListener('abort', () => resolve({ status: 'stopped' }));
					}),
			});
			const id = await post();
			await until(() => begun.includes(id));
			await closing.close(5000);
			work('plain', PLAIN);
			await reaches(id, 'succeeded');
		});

		it('delivers a job by one queue alone, wherever the process was killed that handed it over', async () => {
			// Killed before BullMQ had it, and before the queue was left that had it first.
			const [named, twice] = [needing({}), needing({})];
			for (const job of [named, twice]) await queue.jobs.create(job);
			await raw.hset(`steelyard:2:job:${named.id}`, { queue: queueOf(CUDA) });
			const other = `steelyard:2:deliveries:${queueOf(CUDA)}`;
			await raw.hset(`${other}:${twice.id}`, { name: 'training', data: '{}', opts: '{}', timestamp: 1, delay: 0, priority: 0 });
			await raw.lpush(`${other}:wait`, twice.id);
			work('plain', PLAIN);
			work('gpu', CUDA);
			for (const { id } of [named, twice]) await reaches(id, 'succeeded');
			expect(ran.map(({ id }) => id).sort()).toEqual([named.id, twice.id].sort());
		});

		it('has the jobs that waited in the one queue of an earlier version, and those that it knew nothing of the needs of', async () => {
			const plain = needing({});
			const gpu = needing({ device: 'cuda' });
			const lost = needing({});
			for (const job of [plain, gpu, lost]) await queue.jobs.create(job);
			await queue.claim(lost.id);
			const before = 'steelyard:2:deliveries:training';
			for (const { id } of [plain, gpu, lost])
				await raw.hset(`${before}:${id}`, { name: 'training', data: '{}', opts: '{}', timestamp: 1, delay: 0, priority: 0 });
			await raw.lpush(`${before}:wait`, plain.id, gpu.id);
			await raw.lpush(`${before}:active`, lost.id);
			await raw.del(...(await raw.keys('steelyard:2:waiting:*')), ...(await raw.keys('steelyard:2:needs:*')));
			work('plain', PLAIN);
			for (const { id } of [plain, lost]) await reaches(id, 'succeeded');
			expect(await queue.jobs.get(lost.id)).toMatchObject({ attempt: 2 });
			work('gpu', CUDA);
			await reaches(gpu.id, 'succeeded');
			expect(await raw.keys(`${before}:job_*`)).toEqual([]);
		});

		it('tells what workers have that run jobs, and what those of the last day had, by the clock of Redis', async () => {
			expect(await queue.workers.abilities()).toEqual({ living: [], seen: [] });
			work('gpu', CUDA, { concurrency: 2 });
			await until(async () => (await queue.workers.abilities()).living.length === 1);
			expect(await queue.workers.abilities()).toEqual({ living: [{ abilities: CUDA, workers: 1, slots: 2 }], seen: [CUDA] });
			await works.pop()?.close(1000);
			expect(await queue.workers.abilities()).toEqual({ living: [], seen: [CUDA] });
			await raw.zincrby('steelyard:2:pools', -24 * 60 * 60 - 1, ';0;');
			await raw.zadd('steelyard:2:pools', 1, 'cuda;0;');
			expect((await queue.workers.abilities()).seen).toEqual([]);
		});

		it('leaves nothing of a job that has ended among those that wait', async () => {
			const cancelled = await post({ device: 'cuda' });
			await queue.jobs.requestCancel(cancelled);
			work('plain', PLAIN);
			await reaches(await post(), 'succeeded');
			await until(async () => (await raw.keys('steelyard:2:waiting:*')).length === 0);
			await until(async () => (await raw.keys(`${DELIVERIES}:job_*`)).length === 0);
		});
	});
