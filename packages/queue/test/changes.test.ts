import { DEFAULT_PROJECT, type JobResource } from '@steelyard/contracts';
import type { RedisHandle } from '@steelyard/redis';
import { jobKeys, type Store } from '@steelyard/store';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ways } from '../../redis/test/servers.js';
import { type ChangeAt, openQueue, type Queue } from '../src/index.js';
import { CHANGES_KEPT } from '../src/records.js';
import { withEmptiedRedis } from './emptied-redis.js';
import { newJob, outcome } from './job.js';

for (const { way, absent, start } of ways)
	describe.skipIf(absent)(`the changes of jobs on ${way}`, () => {
		let redis: RedisHandle;
		let raw: Redis;
		let store: Store;
		let queue: Queue;
		let leaving: AbortController;
		const queues: Queue[] = [];

		const open = async () => {
			const opened = await openQueue({ redis: redis.options, store });
			queues.push(opened);
			return opened;
		};

		/** The changes of a project, read one at a time. */
		const follow = async (after?: string, { by = queue, project = DEFAULT_PROJECT, signal = leaving.signal } = {}) => {
			const changes = (await by.changes.follow(project, after, signal))[Symbol.asyncIterator]();
			return async (): Promise<ChangeAt> => (await changes.next()).value ?? expect.unreachable('the changes ended');
		};
		/** As `follow`, from now on. */
		const followNow = async (options: Parameters<typeof follow>[1] = {}) => {
			const next = await follow(undefined, options);
			const { cursor, change } = await next();
			expect(change).toEqual({ type: 'reset' });
			return { next, cursor };
		};
		const create = (...jobs: JobResource[]) => Promise.all(jobs.map((job) => queue.jobs.create(job)));
		const removed = async ({ id }: JobResource) => {
			await queue.jobs.requestCancel(id);
			await queue.jobs.remove(id);
		};

		withEmptiedRedis(start, (emptied) => ({ redis, raw, store } = emptied));
		beforeEach(async () => {
			leaving = new AbortController();
			queue = await open();
		});
		afterEach(async () => {
			leaving.abort();
			for (const one of queues.splice(0)) await one.close();
		});

		it('begin with a list that is to be loaded, and are those of its own project as they come, by whichever process', async () => {
			await create(newJob());
			const { next } = await followNow({ by: await open() });
			const [job] = await create(newJob(), { ...newJob(), project: 'ward-4' });
			expect((await next()).change).toEqual({ type: 'changed', job });
			const running = await queue.claim(job?.id ?? '');
			expect((await next()).change).toEqual({ type: 'changed', job: running });
			const further = await queue.jobs.update(job?.id ?? '', { progress: 0.5 }, 1);
			expect((await next()).change).toEqual({ type: 'changed', job: further });
			const named = await queue.jobs.annotate(job?.id ?? '', { name: 'Ward 3', metadata: { a: '1' } });
			expect((await next()).change).toEqual({ type: 'changed', job: named });
			await queue.commit(job?.id ?? '', 1, { ...outcome, result: { ...outcome.result, unimodal: { labs: {} } } });
			expect((await next()).change).toMatchObject({ type: 'changed', job: { status: 'succeeded', result: { unimodal: {} } } });
			await queue.jobs.remove(job?.id ?? '');
			expect((await next()).change).toEqual({ type: 'deleted', id: job?.id });
		});

		it('after a cursor are every job that has changed since once, as it is now', async () => {
			const jobs = await create(newJob(), newJob(), newJob(), newJob());
			const [quiet, twice, gone, last] = jobs as [JobResource, JobResource, JobResource, JobResource];
			const { cursor } = await followNow();
			await removed(gone);
			for (const name of ['one', 'two']) await queue.jobs.annotate(twice.id, { name });
			await queue.jobs.requestPause(last.id);
			const next = await follow(cursor);
			const seen = [await next(), await next(), await next()];
			expect(seen.map(({ change }) => change)).toEqual([
				{ type: 'deleted', id: gone.id },
				{ type: 'changed', job: await queue.jobs.get(twice.id) },
				{ type: 'changed', job: await queue.jobs.get(last.id) },
			]);
			const again = await follow(seen[1]?.cursor);
			expect(await again()).toEqual(seen[2]);
			await queue.jobs.annotate(quiet.id, { name: 'Now' });
			for (const one of [next, again]) expect((await one()).change).toMatchObject({ job: { id: quiet.id, spec: { name: 'Now' } } });
		});

		it('tell once of a job that has changed often, and of others as soon', async () => {
			const [busy, other] = (await create(newJob(), newJob())) as [JobResource, JobResource];
			await queue.claim(busy.id);
			const { next } = await followNow();
			for (let step = 1; step <= 40; step++) {
				await queue.jobs.update(busy.id, { step }, 1);
				if (step === 20) await queue.jobs.annotate(other.id, { name: 'Other' });
			}
			expect((await next()).change).toMatchObject({ job: { id: other.id, spec: { name: 'Other' } } });
			expect((await next()).change).toMatchObject({ job: { id: busy.id, step: 40 } });
		});

		it('are many, and each is told', async () => {
			const { next, cursor } = await followNow();
			const jobs = Array.from({ length: 230 }, () => newJob());
			await create(...jobs);
			for (const one of [next, await follow(cursor)]) {
				const told = new Set<string>();
				while (told.size < jobs.length) {
					const { change } = await one();
					if (change.type === 'changed') told.add(change.job.id);
				}
				expect([...told].sort()).toEqual(jobs.map(({ id }) => id).sort());
			}
		});

		it.each(['nothing', 'nothing-1', `${'0'.repeat(16)}-0`])('begin anew after %s, which is no cursor', async (after) => {
			await create(newJob());
			expect((await (await follow(after))()).change).toEqual({ type: 'reset' });
		});

		it('begin anew where Redis was emptied, for those who follow and those who come back', async () => {
			const [job] = await create(newJob());
			const { next, cursor } = await followNow();
			await raw.flushdb();
			await queue.jobs.rebuild();
			// Whoever follows looks after the next change, or after some seconds.
			await queue.jobs.annotate(job?.id ?? '', { name: 'Kept' });
			expect((await next()).change).toEqual({ type: 'reset' });
			const comesBack = await follow(cursor);
			expect((await comesBack()).change).toEqual({ type: 'reset' });
			await queue.jobs.annotate(job?.id ?? '', { name: 'Again' });
			for (const one of [next, comesBack])
				expect((await one()).change).toMatchObject({ type: 'changed', job: { id: job?.id, spec: { name: 'Again' } } });
		});

		it('begin anew where a job was added that only the store knew', async () => {
			const { cursor } = await followNow();
			const job = newJob();
			await store.put(jobKeys.record(job.id), JSON.stringify({ ...job, status: 'failed' }));
			await queue.jobs.rebuild();
			expect((await (await follow(cursor))()).change).toEqual({ type: 'reset' });
			expect(await queue.jobs.get(job.id)).toMatchObject({ status: 'failed' });
		});

		it('begin anew after a number that Redis has lost, as a server may that was started again', async () => {
			const { cursor } = await followNow();
			const [epoch, number] = cursor.split('-');
			expect((await (await follow(`${epoch}-${Number(number) + 1}`))()).change).toEqual({ type: 'reset' });
		});

		it('go on where no more has changed than is kept, and begin anew where more has', async () => {
			const [job] = (await create(newJob())) as [JobResource];
			const { cursor } = await followNow();
			// As many changes as are kept, without the work of making them.
			const key = 'steelyard:2:changes:default';
			await raw.mset(...Array.from({ length: CHANGES_KEPT }, (_, slot) => [`${key}:${slot}`, job.id]).flat());
			await raw.incrby(key, CHANGES_KEPT);
			const next = await follow(cursor);
			expect((await next()).change).toEqual({ type: 'changed', job });
			await queue.jobs.annotate(job.id, { name: 'One more' });
			expect((await next()).change).toMatchObject({ type: 'changed', job: { spec: { name: 'One more' } } });
			expect((await (await follow(cursor))()).change).toEqual({ type: 'reset' });
		});

		it('of a job that is there again under its id are no deletion', async () => {
			const { cursor } = await followNow();
			const [job] = (await create(newJob())) as [JobResource];
			await removed(job);
			await create(job);
			expect((await (await follow(cursor))()).change).toMatchObject({ type: 'changed', job: { id: job.id } });
		});

		it('end with their signal, also where nothing has changed', async () => {
			const own = new AbortController();
			const changes = (await queue.changes.follow(DEFAULT_PROJECT, undefined, own.signal))[Symbol.asyncIterator]();
			expect((await changes.next()).value).toMatchObject({ change: { type: 'reset' } });
			const ended = changes.next();
			own.abort();
			expect(await ended).toEqual({ value: undefined, done: true });
		});
	});
