import { DEFAULT_PROJECT, type JobResource, type Metrics } from '@steelyard/contracts';
import { connect, type RedisHandle } from '@steelyard/redis';
import { idsFrom, openStore, type Store } from '@steelyard/store';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { remove, temporaryFolder, ways } from '../../redis/test/servers.js';
import { openQueue, type Queue } from '../src/index.js';
import { keysOf } from '../src/keys.js';
import type { JobSearch } from '../src/queue.js';
import { openRecords } from '../src/records.js';
import { openSearch } from '../src/search.js';
import { newJob, result } from './job.js';

/** Unix seconds at which the first job of these tests was made; the others follow a second apart. */
const BEGIN = 1_795_000_000;

type Made = {
	at?: number;
	project?: string;
	name?: string;
	metadata?: Record<string, string>;
	dataset?: string;
	status?: JobResource['status'];
	test?: Metrics;
};

/** A job that was made `at` seconds after the first, with the metrics `test` where it has succeeded. */
function jobOf({
	at = 0,
	project = DEFAULT_PROJECT,
	name,
	metadata = {},
	dataset = 'ds_ward',
	status = 'succeeded',
	test,
}: Made): JobResource {
	const job = newJob(dataset);
	const created_at = BEGIN + at;
	return {
		...job,
		id: `${idsFrom('job', created_at * 1000)}${'0'.repeat(16)}`,
		project,
		created_at,
		status,
		spec: { ...job.spec, metadata, ...(name === undefined ? {} : { name }) },
		result: status === 'succeeded' ? { ...result, metrics: test === undefined ? {} : { test } } : null,
	};
}

for (const { way, absent, start } of ways)
	describe.skipIf(absent)(`the search for jobs on ${way}`, () => {
		let home: string;
		let redis: RedisHandle;
		let raw: Redis;
		let folder: string;
		let store: Store;
		let queue: Queue;

		beforeAll(async () => {
			home = await temporaryFolder();
			redis = await start(home);
			raw = connect(redis.options);
		});
		afterAll(async () => {
			raw.disconnect();
			await redis.close();
			await remove(home);
		});
		beforeEach(async () => {
			await raw.flushdb();
			folder = await temporaryFolder();
			store = await openStore(folder);
			queue = await openQueue({ redis: redis.options, store });
		});
		afterEach(async () => {
			await queue.close();
			await remove(folder);
		});

		/** Has jobs in the queue, and gives their ids in the order in which they were made. */
		async function made(...jobs: Made[]): Promise<string[]> {
			const all = jobs.map((job, at) => jobOf({ at, ...job }));
			for (const job of all) await queue.jobs.create(job);
			return all.map(({ id }) => id);
		}
		/** The places of the jobs that are found, among those that were made. */
		const found = async (ids: readonly string[], search: Partial<JobSearch>) =>
			(await queue.jobs.list({ project: DEFAULT_PROJECT, limit: 100, ...search })).data.map(({ id }) => ids.indexOf(id));
		/** The same by pages of so many. */
		async function paged(ids: readonly string[], limit: number, search: Partial<JobSearch>): Promise<number[]> {
			const places: number[] = [];
			for (let after: string | null = null; ; ) {
				const page = await queue.jobs.list({ project: DEFAULT_PROJECT, limit, ...search, ...(after === null ? {} : { after }) });
				expect(page.data.length).toBeLessThanOrEqual(limit);
				expect(page.has_more).toBe(page.next !== null);
				places.push(...page.data.map(({ id }) => ids.indexOf(id)));
				if (page.next === null) return places;
				after = page.next;
			}
		}

		it('finds those that fit all that is asked, newest first', async () => {
			const ids = await made(
				{ name: 'Ward 3, NIGHT', metadata: { a: '1', b: '2' } },
				{ name: 'ward 4', metadata: { a: '1' }, status: 'failed' },
				{ dataset: 'ds_other', metadata: { a: '2' }, status: 'queued' },
				{ name: 'night', status: 'running', metadata: { constructor: 'x' } },
				{ name: 'Ward 3', project: 'else' },
			);
			expect(await found(ids, {})).toEqual([3, 2, 1, 0]);
			expect(await found(ids, { name: 'nIgHt' })).toEqual([3, 0]);
			expect(await found(ids, { name: '.' })).toEqual([]);
			expect(await found(ids, { metadata: { a: '1' } })).toEqual([1, 0]);
			expect(await found(ids, { metadata: { a: '1', b: '2' } })).toEqual([0]);
			expect(await found(ids, { metadata: { toString: 'x' } })).toEqual([]);
			expect(await found(ids, { metadata: { constructor: 'x' } })).toEqual([3]);
			expect(await found(ids, { status: ['failed', 'queued'] })).toEqual([2, 1]);
			expect(await found(ids, { dataset: 'ds_other' })).toEqual([2]);
			expect(await found(ids, { created_after: BEGIN + 1 })).toEqual([3, 2]);
			expect(await found(ids, { created_before: BEGIN + 1 })).toEqual([0]);
			expect(await found(ids, { created_after: BEGIN, created_before: BEGIN + 3 })).toEqual([2, 1]);
			expect(await found(ids, { name: 'ward', status: ['succeeded'], metadata: { a: '1' }, dataset: 'ds_ward' })).toEqual([0]);
			expect(await found(ids, { order: 'asc' })).toEqual([0, 1, 2, 3]);
			expect(await found(ids, { order: 'asc', metadata: { a: '1' } })).toEqual([0, 1]);
		});

		it('sees what has changed since it looked before', async () => {
			const ids = await made({ name: 'a', status: 'queued' }, { name: 'b', status: 'queued' });
			expect(await found(ids, { name: 'a', status: ['queued'] })).toEqual([0]);
			await queue.jobs.annotate(ids[1] as string, { name: 'an other' });
			await queue.jobs.requestCancel(ids[0] as string);
			expect(await found(ids, { name: 'a', status: ['queued'] })).toEqual([1]);
			expect(await found(ids, { name: 'a' })).toEqual([1, 0]);
			await queue.jobs.remove(ids[0] as string);
			expect(await found(ids, { name: 'a' })).toEqual([1]);
		});

		it('sees another filling of Redis, whose revisions begin again', async () => {
			const ids = await made({ name: 'before' });
			expect(await found(ids, { name: 'before' })).toEqual([0]);
			const [id] = ids as [string];
			await store.put(`jobs/${id}/job.json`, JSON.stringify(jobOf({ name: 'after' })));
			await raw.flushdb();
			expect(await found(ids, { name: 'before' })).toEqual([]);
			expect(await found(ids, { name: 'after' })).toEqual([0]);
		});

		it('sorts by a metric of the result in both orders, those without it last, and pages so too', async () => {
			const ids = await made(
				{ test: { accuracy: 0.5, 'aux.loss': 3 } },
				{ test: { accuracy: 0.9 } },
				{ test: { accuracy: null } },
				{ status: 'failed' },
				{ test: { accuracy: 0.5, 'aux.loss': -1 } },
				{ test: { accuracy: 0.7 } },
			);
			const descending = [1, 5, 4, 0, 3, 2];
			const ascending = [4, 0, 5, 1, 3, 2];
			for (const limit of [1, 2, 3, 6, 7]) {
				expect(await paged(ids, limit, { sort: 'test.accuracy' })).toEqual(descending);
				expect(await paged(ids, limit, { sort: 'test.accuracy', order: 'asc' })).toEqual(ascending);
			}
			await expect(found(ids, { sort: 'test.accuracy', after: 'job_0' })).rejects.toMatchObject({
				code: 'invalid_request',
				param: 'after',
			});
			expect(await found(ids, { sort: 'test.aux.loss' })).toEqual([0, 4, 5, 3, 2, 1]);
			expect(await found(ids, { sort: 'validation.accuracy' })).toEqual([5, 4, 3, 2, 1, 0]);
			expect(await found(ids, { sort: 'test.accuracy', status: ['succeeded'], created_after: BEGIN })).toEqual([1, 5, 4, 2]);
		});

		it.each([1, 2, 3, 5, 50])('gives each job that fits once over pages of %i', async (limit) => {
			const ids = await made(...Array.from({ length: 23 }, (_, i): Made => (i % 3 === 0 ? { name: 'wanted' } : {})));
			const wanted = ids.flatMap((_, i) => (i % 3 === 0 ? [i] : []));
			expect(await paged(ids, limit, { name: 'wanted' })).toEqual([...wanted].reverse());
			expect(await paged(ids, limit, { name: 'wanted', order: 'asc' })).toEqual(wanted);
			expect(await paged(ids, limit, { order: 'asc' })).toEqual(ids.map((_, i) => i));
		});

		/** A search over the same jobs, with bounds that few jobs reach. */
		const bounded = (options: Parameters<typeof openSearch>[1]) => {
			const search = openSearch(openRecords(raw, keysOf('steelyard'), null), options);
			return (asked: Partial<JobSearch>) => search({ project: DEFAULT_PROJECT, limit: 2, ...asked });
		};

		it('looks at so many jobs and no more, says where it goes on, and misses none', async () => {
			const ids = await made(...Array.from({ length: 11 }, (_, i): Made => (i < 2 ? { name: 'wanted' } : {})));
			const search = bounded({ lookedAt: 3 });
			const places: number[][] = [];
			for (let after: string | null = null; ; ) {
				const { data, next, has_more } = await search({ name: 'wanted', ...(after === null ? {} : { after }) });
				places.push(data.map(({ id }) => ids.indexOf(id)));
				expect(has_more).toBe(next !== null);
				if (next === null) break;
				after = next;
			}
			expect(places).toEqual([[], [], [], [1, 0]]);
			expect((await bounded({ lookedAt: 11 })({ name: 'none' })).next).toBeNull();
			// Jobs of another time are passed over without a look.
			expect((await search({ name: 'wanted', created_before: BEGIN - 1_000_000 })).next).toBeNull();
		});

		it('takes longer than Redis may take to answer where it takes several steps, and no step too long', async () => {
			await made(...Array.from({ length: 5 }, (): Made => ({ name: 'wanted' })));
			const opened = await openQueue({ redis: redis.options, store, longestMs: 2000 });
			vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
			const { pipeline } = Redis.prototype;
			let late = 1500;
			const steps = vi.spyOn(Redis.prototype, 'pipeline').mockImplementation(function (this: Redis, ...commands) {
				// Once it is waited for.
				queueMicrotask(() => vi.advanceTimersByTime(late));
				return pipeline.apply(this, commands);
			});
			try {
				const wanted = { project: DEFAULT_PROJECT, limit: 2, name: 'wanted' };
				expect((await opened.jobs.list(wanted)).data).toHaveLength(2);
				expect(steps.mock.calls.length).toBeGreaterThan(2);
				late = 2500;
				await expect(opened.jobs.list(wanted)).rejects.toMatchObject({ code: 'unavailable' });
			} finally {
				steps.mockRestore();
				vi.useRealTimers();
				await opened.close();
			}
		});

		it('refuses to sort more jobs than it looks at, unless a time leaves fewer', async () => {
			await made(...Array.from({ length: 4 }, (_, i): Made => ({ at: i * 1000, test: { loss: i } })));
			const search = bounded({ sorted: 3 });
			await expect(search({ sort: 'test.loss' })).rejects.toMatchObject({ code: 'invalid_request', param: 'sort' });
			expect((await search({ sort: 'test.loss', created_after: BEGIN + 500 })).data).toHaveLength(2);
		});

		it('reads a record once until it changes, as long as it has room for what it looks at', async () => {
			const ids = await made(...Array.from({ length: 5 }, (): Made => ({ name: 'wanted' })));
			for (const [kept, again] of [
				[1e6, 0],
				[1, 5],
			] as const) {
				const records = openRecords(raw, keysOf('steelyard'), null);
				const read = vi.spyOn(records, 'findAll');
				const search = openSearch(records, { kept });
				const asked = { project: DEFAULT_PROJECT, limit: 1, name: 'none' };
				await search(asked);
				expect(read.mock.calls.flatMap(([some]) => some).sort()).toEqual([...ids].sort());
				read.mockClear();
				await search(asked);
				expect(read.mock.calls.flatMap(([some]) => some)).toHaveLength(again);
			}
		});
	});
