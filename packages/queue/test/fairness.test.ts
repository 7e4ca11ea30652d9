import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { JobResource } from '@steelyard/contracts';
import type { RedisHandle } from '@steelyard/redis';
import { openStore, type Store } from '@steelyard/store';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ended, remove, temporaryFolder, until, ways } from '../../redis/test/servers.js';
import { openQueue, type Queue, type QueueOptions, type Work, type WorkOptions } from '../src/index.js';
import { withEmptiedRedis } from './emptied-redis.js';
import { DELIVERIES, newJob, outcome } from './job.js';

const WORKER = fileURLToPath(new URL('fixtures/worker.mjs', import.meta.url));

const of = (project: string, priority = 0): JobResource => {
	const job = newJob();
	return { ...job, project, spec: { ...job.spec, priority } };
};
/** Jobs of a project, in the order of their ids: those of one millisecond are in no other. */
const several = (project: string, count: number): JobResource[] =>
	Array.from({ length: count }, () => of(project)).sort((a, b) => (a.id < b.id ? -1 : 1));

for (const { way, absent, start } of ways)
	describe.skipIf(absent)(`the order of jobs on ${way}`, () => {
		let redis: RedisHandle;
		let raw: Redis;
		let folder: string;
		let store: Store;
		let queue: Queue;
		const works: Work[] = [];
		const queues: Queue[] = [];

		const open = async (options: Partial<QueueOptions> = {}) => {
			const opened = await openQueue({ redis: redis.options, store, ...options });
			queues.push(opened);
			return opened;
		};
		const work = (options: WorkOptions, by = queue) => works.push(by.work(options));
		const create = async (...jobs: JobResource[]) => {
			for (const job of jobs) await queue.jobs.create(job);
		};
		const post = async (...jobs: JobResource[]) => {
			for (const job of jobs) {
				await queue.jobs.create(job);
				await queue.enqueue(job.id);
			}
		};
		const succeeded = (count: number) => until(async () => (await queue.jobs.counts()).succeeded === count);
		/** Runs all jobs one after the other; resolves with them as they began. */
		const runAll = async (count: number): Promise<JobResource[]> => {
			const begun: JobResource[] = [];
			work({
				async process(_, { job }) {
					begun.push(job);
					return { status: 'succeeded', ...outcome };
				},
			});
			await succeeded(count);
			return begun;
		};
		const handedOver = async () => raw.keys('steelyard:2:deliveries:training*:job_*');

		withEmptiedRedis(start, (emptied) => ({ redis, raw, folder, store } = emptied));
		beforeEach(async () => {
			queue = await open();
		});
		afterEach(async () => {
			for (const one of works.splice(0)) await one.close(5000);
			for (const one of queues.splice(0)) await one.close();
		});

		it('does not let the many jobs of a project keep back the one of another', async () => {
			await post(...several('many', 50), of('one'));
			expect(await handedOver()).toEqual([]);
			const begun = await runAll(51);
			expect(begun).toHaveLength(51);
			expect(begun.findIndex(({ project }) => project === 'one')).toBeLessThan(3);
		});

		it('takes projects in turn, and the jobs of each as they were posted', async () => {
			const jobs = ['a', 'b', 'c'].map((project) => several(project, 4));
			await create(...jobs.flat());
			const begun = await runAll(12);
			expect(begun.map(({ project }) => project).join('')).toBe('abcabcabcabc');
			for (const own of jobs)
				expect(begun.filter(({ project }) => project === own[0]?.project).map(({ id }) => id)).toEqual(own.map(({ id }) => id));
		});

		it('begins jobs of a higher priority first within their project, and not before those of another', async () => {
			await create(of('a', -100), of('a'), of('a', 7), of('a', 100), of('b', -5), of('b', 1));
			const begun = await runAll(6);
			expect(begun.map(({ project, spec }) => [project, spec.priority])).toEqual([
				['a', 100],
				['b', 1],
				['a', 7],
				['b', -5],
				['a', 0],
				['a', -100],
			]);
		});

		it('runs no more jobs of a project at a time than may, and the next as soon as one ends, pauses or is cancelled', async () => {
			const limited = [await open({ mostRunning: 1 }), await open({ mostRunning: 1 })];
			const own = several('a', 4);
			const begun: string[] = [];
			const finish = new Map<string, () => void>();
			let atOnce = 0;
			for (const by of limited)
				work(
					{
						concurrency: 2,
						async process(id, { signal }) {
							const isDone = new Promise<boolean>((resolve) => {
								finish.set(id, () => resolve(true));
								signal.addEventListener('abort', () => resolve(false));
							});
							begun.push(id);
							atOnce = Math.max(atOnce, (await queue.jobs.counts('a')).running);
							return (await isDone) ? { status: 'succeeded', ...outcome } : { status: 'stopped' };
						},
					},
					by,
				);
			const other = of('b');
			const [first, second, third, fourth] = own.map(({ id }) => id) as [string, string, string, string];
			await post(...own.slice(0, 1));
			await until(() => begun.length === 1);
			// Handed over by one that knows of no limit, which the workers heed all the same.
			await post(...own.slice(1), other);
			await until(() => begun.length === 2);
			expect([...begun].sort()).toEqual([first, other.id].sort());
			expect(await queue.jobs.counts('a')).toMatchObject({ queued: 3, running: 1 });
			await queue.jobs.requestPause(first);
			await until(() => begun.includes(second));
			await queue.jobs.requestCancel(second);
			await until(() => finish.has(third));
			finish.get(third)?.();
			await until(() => finish.has(fourth));
			await queue.jobs.requestResume(first);
			finish.get(fourth)?.();
			await until(() => begun.filter((id) => id === first).length === 2);
			finish.get(first)?.();
			finish.get(other.id)?.();
			await succeeded(4);
			expect(atOnce).toBe(1);
		});

		it('begins no attempt beyond the limit, whoever asks for it', async () => {
			const limited = await open({ mostRunning: 1 });
			const [one, two] = several('a', 2) as [JobResource, JobResource];
			await create(one, two);
			expect(await limited.claim(one.id)).toMatchObject({ attempt: 1 });
			expect(await limited.claim(two.id)).toBeNull();
			expect(await queue.jobs.get(two.id)).toMatchObject({ status: 'queued', attempt: 0 });
			// Its worker was lost, and its place is its own.
			expect(await limited.claim(one.id)).toMatchObject({ attempt: 2 });
			await limited.release(one.id, 2);
			expect(await limited.claim(two.id)).toMatchObject({ attempt: 1 });
		});

		it('begins jobs that are resumed in their order again, whether they were paused or cancelled', async () => {
			const [first, second] = several('a', 2) as [JobResource, JobResource];
			await post(first, second);
			await queue.jobs.requestCancel(first.id);
			await queue.jobs.requestPause(second.id);
			expect(await queue.jobs.counts('a')).toMatchObject({ queued: 0, cancelled: 1, paused: 1 });
			await queue.jobs.requestResume(second.id);
			await queue.jobs.requestResume(first.id);
			expect((await runAll(2)).map(({ id }) => id)).toEqual([first.id, second.id]);
		});

		it('keeps its order when Redis is emptied', async () => {
			await post(of('a'), of('a', 9), of('b', 1), of('b', 2));
			await raw.flushdb();
			expect(await queue.jobs.rebuild()).toBe(4);
			const begun = await runAll(4);
			expect(begun.map(({ project, spec }) => [project, spec.priority])).toEqual([
				['a', 9],
				['b', 2],
				['a', 0],
				['b', 1],
			]);
		});

		it('goes on with the next job when the worker of the one before was killed', async () => {
			const [first, second] = several('a', 2) as [JobResource, JobResource];
			await create(first, second);
			await queue.enqueue(first.id);
			const child = fork(WORKER, [JSON.stringify({ redis: redis.options, folder, lockMs: 300 })], { execArgv: [] });
			await once(child, 'message');
			child.kill('SIGKILL');
			await ended(child);
			// As where it was killed before it could hand over what comes next.
			await raw.del(`${DELIVERIES}:wait`, `${DELIVERIES}:${second.id}`);
			work({ lockMs: 300, process: async () => ({ status: 'succeeded', ...outcome }) });
			await succeeded(2);
		});

		it('finds a job by itself that nobody has handed over', { timeout: 15_000 }, async () => {
			const over = of('a');
			await create(over);
			await queue.jobs.requestCancel(over.id);
			await new Promise<void>((looked) => {
				// A worker looks through the queue when it starts, and settles then what has ended.
				work({
					checkMs: 20,
					process: async () => ({ status: 'succeeded', ...outcome }),
					ended: ({ id }) => void (id === over.id && looked()),
				});
			});
			await create(of('a'));
			await succeeded(1);
		});
	});

it('runs 500 jobs of three projects once each', async () => {
	const { start } = ways.find(({ absent }) => !absent) as (typeof ways)[number];
	const home = await temporaryFolder();
	const redis = await start(home);
	const store = await openStore(home);
	const queues = await Promise.all([0, 1].map(() => openQueue({ redis: redis.options, store, mostRunning: 3 })));
	const jobs = Array.from({ length: 500 }, (_, i) => of(['a', 'b', 'c'][i % 3] as string, (i % 5) - 2));
	for (const job of jobs) await queues[0]?.jobs.create(job);
	const runs: string[] = [];
	const works = queues.map((queue) =>
		queue.work({
			concurrency: 4,
			async process(id) {
				runs.push(id);
				return { status: 'succeeded', ...outcome };
			},
		}),
	);
	await until(() => runs.length >= 500);
	await until(async () => (await queues[0]?.jobs.counts())?.succeeded === 500);
	expect([...runs].sort()).toEqual(jobs.map(({ id }) => id).sort());
	for (const work of works) await work.close(5000);
	for (const queue of queues) await queue.close();
	await redis.close();
	await remove(home);
}, 240_000);
