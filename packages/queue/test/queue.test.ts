import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_PROJECT, type JobEvent, type JobResource, type ModelVerdict, ProblemError } from '@steelyard/contracts';
import { launchRedis, type RedisHandle, silent } from '@steelyard/redis';
import { createId, jobKeys, listDamaged, openStore, type Store } from '@steelyard/store';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ended, remove, temporaryFolder, until, ways } from '../../redis/test/servers.js';
import {
	type AttemptStopped,
	type InspectionOptions,
	openQueue,
	type Queue,
	StaleAttemptError,
	type Work,
	type WorkOptions,
} from '../src/index.js';
import { withEmptiedRedis } from './emptied-redis.js';
import { DELIVERIES, newJob, outcome, report, result } from './job.js';

const WORKER = fileURLToPath(new URL('fixtures/worker.mjs', import.meta.url));

/** Something that is settled from outside. */
function gate<T>() {
	let open: (value: T) => void = () => {};
	const opened = new Promise<T>((resolve) => {
		open = resolve;
	});
	return { open, opened };
}

const crash = { code: 'trainer_crashed', message: 'It crashed.', param: null };

const aborted = (signal: AbortSignal) =>
	new Promise<AttemptStopped>((resolve) => signal.addEventListener('abort', () => resolve(signal.reason as AttemptStopped)));

for (const { way, absent, start } of ways)
	describe.skipIf(absent)(`the queue on ${way}`, () => {
		let redis: RedisHandle;
		let raw: Redis;
		let folder: string;
		let store: Store;
		let queue: Queue;
		const works: Work[] = [];
		const queues: Queue[] = [];
		const children: ChildProcess[] = [];

		const open = async (kept = store) => {
			const opened = await openQueue({ redis: redis.options, store: kept });
			queues.push(opened);
			return opened;
		};
		const work = (options: WorkOptions, by = queue) => {
			const begun = by.work(options);
			works.push(begun);
			return begun;
		};
		const post = async (job = newJob()): Promise<JobResource> => {
			const created = await queue.jobs.create(job);
			await queue.enqueue(created.id);
			return created;
		};
		const upload = async (): Promise<string> => {
			const id = createId('mdl');
			await store.put(`models/${id}/model.json`, '{}');
			await queue.inspections.enqueue(id);
			return id;
		};
		const inspect = (options: InspectionOptions, by = queue) => {
			const begun = by.inspections.work(options);
			works.push(begun);
			return begun;
		};
		const ready = { status: 'ready', report, error: null } as const;
		const judgedAs = async (id: string): Promise<ModelVerdict> => {
			await until(async () => (await queue.inspections.verdict(id)) !== null);
			return (await queue.inspections.verdict(id)) as ModelVerdict;
		};
		const filesOf = (id: string) => store.list(`models/${id}`);
		const reaches = (id: string, status: JobResource['status']) => until(async () => (await queue.jobs.get(id))?.status === status);
		const kept = async (id: string) => JSON.parse(String(await store.get(`jobs/${id}/job.json`))) as JobResource;
		const lostWorker = async (id: string, lockMs: number, inspects = false) => {
			const child = fork(WORKER, [JSON.stringify({ redis: redis.options, folder, lockMs, inspects })], { execArgv: [] });
			children.push(child);
			expect(await once(child, 'message')).toContain(id);
			child.kill('SIGKILL');
			await ended(child);
		};

		withEmptiedRedis(start, (emptied) => ({ redis, raw, folder, store } = emptied));
		beforeEach(async () => {
			queue = await open();
		});
		afterEach(async () => {
			for (const child of children.splice(0)) {
				child.kill('SIGKILL');
				await ended(child);
			}
			for (const one of works.splice(0)) await one.close(5000);
			for (const one of queues.splice(0)) await one.close();
		});

		it('keeps a new job, lists it first and mirrors it to the store', async () => {
			const first = await queue.jobs.create(newJob());
			const jobs = [first];
			while (jobs.length < 5) jobs.push(await queue.jobs.create(newJob()));
			expect(await queue.jobs.get(first.id)).toEqual(first);
			expect(await kept(first.id)).toEqual(first);
			const newest = jobs
				.map(({ id }) => id)
				.sort()
				.reverse();
			const page = await queue.jobs.list({ project: DEFAULT_PROJECT, limit: 2 });
			expect(page.data.map(({ id }) => id)).toEqual(newest.slice(0, 2));
			expect(page.has_more).toBe(true);
			const rest = await queue.jobs.list({ project: DEFAULT_PROJECT, limit: 3, after: page.data[1]?.id as string });
			expect(rest.data.map(({ id }) => id)).toEqual(newest.slice(2));
			expect(rest.has_more).toBe(false);
			expect(await queue.jobs.get('job_none')).toBeNull();
		});

		it('gives the job of then for a known idempotency key, and refuses it with another body', async () => {
			const made = await Promise.all(
				Array.from({ length: 5 }, () => queue.jobs.create(newJob(), { idempotencyKey: 'a key', bodyHash: '1' })),
			);
			expect(new Set(made.map(({ id }) => id)).size).toBe(1);
			expect((await queue.jobs.counts()).queued).toBe(1);
			await expect(queue.jobs.create(newJob(), { idempotencyKey: 'a key', bodyHash: '2' })).rejects.toMatchObject({
				code: 'idempotency_mismatch',
			});
			expect((await queue.jobs.create(newJob(), { idempotencyKey: 'another', bodyHash: '2' })).id).not.toBe(made[0]?.id);
		});

		it('keeps the jobs of projects apart: their lists, counts and idempotency keys, also after Redis was emptied', async () => {
			const now = Math.floor(Date.now() / 1000);
			const make = (project: string, bodyHash = '1') =>
				queue.jobs.create({ ...newJob(), created_at: now, project }, { idempotencyKey: 'k', bodyHash });
			const a = await make('a');
			const b = await make('b', '2');
			expect(b.id).not.toBe(a.id);
			const { project: _, ...earlier } = { ...newJob(), project: null };
			const old = await queue.jobs.create(earlier);
			await queue.jobs.requestCancel(b.id);
			for (const emptied of [false, true]) {
				if (emptied) await raw.flushdb();
				expect((await make('a')).id).toBe(a.id);
				expect((await queue.jobs.repeated({ project: 'b', idempotencyKey: 'k', bodyHash: '2' }))?.id).toBe(b.id);
				expect(await queue.jobs.repeated({ project: DEFAULT_PROJECT, idempotencyKey: 'k', bodyHash: '1' })).toBeNull();
				expect(await queue.jobs.projects()).toEqual(['a', 'b', DEFAULT_PROJECT]);
				const listed = async (project: string) => (await queue.jobs.list({ project, limit: 9 })).data.map(({ id }) => id);
				expect(await Promise.all(['a', 'b', DEFAULT_PROJECT, 'none'].map(listed))).toEqual([[a.id], [b.id], [old.id], []]);
				expect(await queue.jobs.counts('a')).toMatchObject({ queued: 1, cancelled: 0 });
				expect(await queue.jobs.counts('b')).toMatchObject({ queued: 0, cancelled: 1 });
				expect(await queue.jobs.counts()).toMatchObject({ queued: 2, cancelled: 1 });
				expect(await queue.jobs.countUsing('ds_ward')).toBe(2);
			}
			await queue.jobs.remove(b.id);
			expect(await queue.jobs.repeated({ project: 'b', idempotencyKey: 'k', bodyHash: '2' })).toBeNull();
			expect((await make('a')).id).toBe(a.id);
		});

		it('has all jobs after an upgrade from a version that kept them under other keys, of which none are left', async () => {
			const done = await queue.jobs.create(newJob());
			await queue.claim(done.id);
			await queue.commit(done.id, 1, outcome);
			const { id } = await queue.jobs.create(newJob());
			await raw.flushdb();
			await raw.hset(`steelyard:job:${id}`, { record: '{}', revision: 1 });
			await raw.zadd('steelyard:jobs', 0, id);
			await raw.sadd('steelyard:status:queued', id);
			await raw.set('steelyard:rebuilt', 'of then');
			await raw.lpush('steelyard:deliveries:training:wait', id);
			await raw.set('steelyard-two:rebuilt', 'of others');
			await (await open()).jobs.rebuild();
			expect(await queue.jobs.get(done.id)).toMatchObject({ status: 'succeeded', result });
			expect((await queue.jobs.list({ project: DEFAULT_PROJECT, limit: 9 })).data).toHaveLength(2);
			const keys = await raw.keys('*');
			expect(keys.filter((key) => !key.startsWith('steelyard:2:'))).toEqual(['steelyard-two:rebuilt']);
			work({ process: async () => ({ status: 'succeeded', ...outcome }) });
			await reaches(id, 'succeeded');
		});

		it('renames a job in every state, in the store before it says so, and keeps that where Redis is emptied', async () => {
			const [waits, runs, done] = [await queue.jobs.create(newJob()), await queue.jobs.create(newJob()), await queue.jobs.create(newJob())];
			for (const { id } of [runs, done]) await queue.claim(id);
			await queue.commit(done.id, 1, outcome);
			const events = await queue.events.read(done.id);
			for (const { id } of [waits, runs, done]) {
				const before = await queue.jobs.get(id);
				const after = await queue.jobs.annotate(id, { name: 'Ward 3', metadata: { a: '1', b: '2' } });
				expect(after).toEqual({ ...before, spec: { ...before?.spec, name: 'Ward 3', metadata: { a: '1', b: '2' } } });
				expect(await kept(id)).toEqual(after);
				await queue.jobs.annotate(id, { metadata: { b: null, c: '3' } });
			}
			expect(await queue.jobs.update(runs.id, { progress: 0.5 }, 1)).toMatchObject({ progress: 0.5, spec: { name: 'Ward 3' } });
			await raw.flushdb();
			for (const { id } of [waits, runs, done])
				expect((await queue.jobs.get(id))?.spec).toMatchObject({ name: 'Ward 3', metadata: { a: '1', c: '3' } });
			expect(await queue.events.read(done.id)).toEqual(events);
			await queue.jobs.annotate(done.id, { name: null });
			expect((await kept(done.id)).spec).not.toHaveProperty('name');
			await expect(queue.jobs.annotate('job_none', { name: 'x' })).rejects.toMatchObject({ code: 'not_found' });
		});

		it('says so where the store has no room for a new name, which is written later', async () => {
			let isFull = false;
			const put: Store['put'] = (key, content) =>
				isFull ? Promise.reject(new ProblemError('insufficient_storage', 'No space is left')) : store.put(key, content);
			const full = await open({ ...store, put });
			const { id } = await full.jobs.create(newJob());
			isFull = true;
			await expect(full.jobs.annotate(id, { name: 'x' })).rejects.toMatchObject({ code: 'insufficient_storage' });
			expect((await kept(id)).spec.name).toBeUndefined();
			isFull = false;
			await full.jobs.rebuild();
			expect((await kept(id)).spec.name).toBe('x');
		});

		it('does not clear a cancelled job once more because it was renamed', async () => {
			const { id } = await post();
			await queue.jobs.requestCancel(id);
			const heard: string[] = [];
			work({ process: async () => ({ status: 'succeeded', ...outcome }), ended: (job) => void heard.push(job.id) });
			await until(() => heard.length === 1);
			await until(async () => (await raw.smembers('steelyard:2:ended')).length === 0);
			await queue.jobs.annotate(id, { name: 'x' });
			expect(await raw.smembers('steelyard:2:ended')).toEqual([]);
		});

		it('keeps no job that the store has no room for', async () => {
			const full: Store = { ...store, put: () => Promise.reject(new ProblemError('insufficient_storage', 'No space is left')) };
			const job = newJob();
			const cramped = await open(full);
			await expect(cramped.jobs.create(job, { idempotencyKey: 'k', bodyHash: '1' })).rejects.toMatchObject({
				code: 'insufficient_storage',
			});
			expect(await queue.jobs.get(job.id)).toBeNull();
			expect(await queue.jobs.countUsing('ds_ward')).toBe(0);
			expect((await queue.jobs.create(job, { idempotencyKey: 'k', bodyHash: '1' })).id).toBe(job.id);
		});

		it('leaves nothing in the store of a job that Redis refuses', async () => {
			if (redis.kind === 'javascript') return;
			await queue.jobs.create(newJob());
			const before = await store.list('jobs');
			await raw.config('SET', 'maxmemory', '1');
			const refused = queue.jobs.create(newJob(), { idempotencyKey: 'k', bodyHash: '1' });
			await expect(refused).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('OOM') });
			await raw.config('SET', 'maxmemory', '0');
			expect(await store.list('jobs')).toEqual(before);
			expect(await queue.jobs.repeated({ project: DEFAULT_PROJECT, idempotencyKey: 'k', bodyHash: '1' })).toBeNull();
		});

		it('keeps a job and its idempotency key also where the process was killed that made it, once a repeated post is answered', async () => {
			let killed = false;
			const dying = await open({ ...store, put: async (...args) => (killed ? new Promise(() => {}) : store.put(...args)) });
			const request = { idempotencyKey: 'k', bodyHash: '1' };
			killed = true;
			const now = { created_at: Math.floor(Date.now() / 1000) };
			void dying.jobs.create({ ...newJob(), ...now }, request).catch(() => null);
			await until(async () => (await queue.jobs.counts()).queued === 1);
			const { id } = await queue.jobs.create({ ...newJob(), ...now }, request);
			await raw.flushdb();
			expect((await queue.jobs.repeated({ project: DEFAULT_PROJECT, ...request }))?.id).toBe(id);
		});

		it('lets one of many at once move a job, and the store ends with the record of Redis', async () => {
			const { id } = await queue.jobs.create(newJob());
			const other = await open();
			const moved = await Promise.all(
				Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? queue : other).jobs.transition(id, ['queued'], 'running', { epoch: at })),
			);
			expect(moved.filter((job) => job !== null)).toHaveLength(1);
			await Promise.all([
				...Array.from({ length: 10 }, (_, step) => queue.jobs.update(id, { step })),
				queue.jobs.transition(id, ['running'], 'queued'),
				other.jobs.transition(id, ['running', 'queued'], 'failed', { error: { code: 'internal', message: 'm', param: null } }),
			]);
			const job = (await queue.jobs.get(id)) as JobResource;
			expect(job).toMatchObject({ status: 'failed', stage: null, error: { message: 'm' } });
			expect(job.finished_at).not.toBeNull();
			expect(await kept(id)).toEqual(job);
			expect(await queue.jobs.update(id, { step: 99 })).toBeNull();
			expect(await queue.jobs.transition(id, ['running'], 'succeeded')).toBeNull();
		});

		it('counts the jobs that have not ended by dataset, and all by status', async () => {
			const job = await queue.jobs.create(newJob('ds_a'));
			await queue.jobs.create(newJob('ds_b'));
			expect(await queue.jobs.countUsing('ds_a')).toBe(1);
			await queue.jobs.requestCancel(job.id);
			expect(await queue.jobs.countUsing('ds_a')).toBe(0);
			expect(await queue.jobs.counts()).toEqual({ queued: 1, running: 0, paused: 0, succeeded: 0, failed: 0, cancelled: 1 });
		});

		it('counts the jobs that have not ended by uploaded model', async () => {
			const custom = { family: 'custom', model: 'mdl_a', inputs: { text: 'x' }, output: 'y' };
			const job = await queue.jobs.create(newJob('ds_a', custom));
			const once = await queue.jobs.create(newJob('ds_a', custom), { idempotencyKey: 'k', bodyHash: '1' });
			expect([await queue.jobs.countUsing('mdl_a'), await queue.jobs.countUsing('ds_a')]).toEqual([2, 2]);
			await queue.jobs.requestCancel(job.id);
			await raw.flushdb();
			await queue.jobs.rebuild();
			expect([await queue.jobs.countUsing('mdl_a'), await queue.jobs.countUsing('ds_a')]).toEqual([1, 1]);
			await queue.jobs.requestCancel(once.id);
			expect([await queue.jobs.countUsing('mdl_a'), await queue.jobs.countUsing('ds_a')]).toEqual([0, 0]);
		});

		it('keeps a job while one that has not ended begins with what it has kept', async () => {
			const source = await queue.jobs.create(newJob());
			await queue.claim(source.id);
			await queue.commit(source.id, 1, outcome);
			const begun = newJob('ds_a', {}, { initialise_from: source.id });
			const job = await queue.jobs.create(begun, { idempotencyKey: 'k', bodyHash: '1' });
			expect(await queue.jobs.countUsing(source.id)).toBe(1);
			const refused = () => expect(queue.jobs.remove(source.id)).rejects.toMatchObject({ code: 'job_in_use', param: 'id' });
			await refused();
			await raw.flushdb();
			await queue.jobs.rebuild();
			await refused();
			expect((await kept(source.id))?.status).toBe('succeeded');
			await queue.jobs.requestCancel(job.id);
			expect(await queue.jobs.countUsing(source.id)).toBe(0);
			await queue.jobs.remove(source.id);
			expect(await queue.jobs.get(source.id)).toBeNull();
		});

		it('gives a job back whose removal began before a job was posted that begins with it', async () => {
			const source = await queue.jobs.create(newJob());
			await queue.claim(source.id);
			await queue.commit(source.id, 1, outcome);
			const other = await open({
				...store,
				async remove(key) {
					if (key === jobKeys.record(source.id)) await queue.jobs.create(newJob('ds_a', {}, { initialise_from: source.id }));
					return store.remove(key);
				},
			});
			await expect(other.jobs.remove(source.id)).rejects.toMatchObject({ code: 'job_in_use' });
			expect((await queue.jobs.get(source.id))?.status).toBe('succeeded');
			expect((await kept(source.id))?.status).toBe('succeeded');
		});

		it('sums up what several processes count', async () => {
			const other = await open();
			expect(await queue.tally.read()).toEqual({});
			await Promise.all([queue.tally.add({ rows: 2 ** 40, 'attempts:failed': 1 }), other.tally.add({ rows: 2 ** 40 + 1 })]);
			expect(await other.tally.read()).toEqual({ rows: 2 ** 41 + 1, 'attempts:failed': 1 });
		});

		it('runs a job, commits its result and tells it by events', async () => {
			const { id } = await post();
			const told = gate<JobResource>();
			work({
				async process(_, { attempt, job }) {
					expect(job).toMatchObject({ status: 'running', attempt: 1 });
					await queue.jobs.update(id, { stage: 'fusion', progress: 0.5 }, attempt);
					await queue.events.append(id, { type: 'stage', stage: 'fusion' });
					return { status: 'succeeded', ...outcome };
				},
				ended: (job) => told.open(job),
			});
			const events: JobEvent[] = [];
			for await (const event of queue.events.follow(id, undefined, new AbortController().signal)) events.push(event);
			expect(events.map((event) => (event.type === 'status' ? event.status : event.type))).toEqual([
				'queued',
				'running',
				'stage',
				'succeeded',
			]);
			const job = await told.opened;
			expect(job).toMatchObject({ status: 'succeeded', stage: null, progress: 1, attempt: 1, result, artifacts: outcome.artifacts });
			expect(await queue.jobs.get(id)).toEqual(job);
			expect(await kept(id)).toEqual(job);
			expect(JSON.parse(((await store.get(`jobs/${id}/result.json`)) as Buffer).toString())).toMatchObject({ attempt: 1, result });
		});

		it('fails a job once, with the words of what was thrown', async () => {
			let runs = 0;
			const { id } = await post();
			work({
				process() {
					runs++;
					throw new ProblemError('diverged', 'the loss is NaN', 'training.epochs');
				},
			});
			await reaches(id, 'failed');
			expect((await queue.jobs.get(id))?.error).toEqual({ code: 'diverged', message: 'the loss is NaN', param: 'training.epochs' });
			const next = await post();
			await reaches(next.id, 'failed');
			expect(runs).toBe(2);
		});

		it('begins another attempt at once where one asks for it', async () => {
			const { id } = await post();
			work({
				retryMs: 1,
				process: async (_, { attempt }) => (attempt < 4 ? { status: 'retry', error: crash } : { status: 'succeeded', ...outcome }),
			});
			await reaches(id, 'succeeded');
			expect((await queue.jobs.get(id))?.attempt).toBe(4);
		});

		it.each(['unavailable', 'insufficient_storage'] as const)('runs a job again whose attempt met what may pass: %s', async (code) => {
			const { id } = await post();
			work({
				retryMs: 1,
				async process(_, { attempt }) {
					if (attempt < 3) throw new ProblemError(code, 'it was away');
					return { status: 'succeeded', ...outcome };
				},
			});
			await reaches(id, 'succeeded');
			expect((await queue.jobs.get(id))?.attempt).toBe(3);
		});

		it('gives a job up that comes no further, and counts anew where it did', async () => {
			const { id } = await post();
			const comesTo = [0, 0.2, 0.1, 0.2, 0.3, 0.3, 0.1, 0.3, 0.9];
			work({
				retryMs: 1,
				async process(_, { attempt }) {
					await queue.jobs.update(id, { progress: comesTo[attempt - 1] as number }, attempt);
					return { status: 'retry', error: crash };
				},
			});
			await reaches(id, 'failed');
			const job = await queue.jobs.get(id);
			expect(job).toMatchObject({ attempt: 8, setbacks: { count: 4, progress: 0.3 } });
			expect(job?.error).toEqual({ ...crash, message: 'The job came no further in 4 attempts. It crashed.' });
		});

		it('waits longer before each further retry', async () => {
			const { id } = await post();
			const begun: number[] = [];
			work({
				retryMs: 100,
				async process() {
					begun.push(performance.now());
					return { status: 'retry', error: crash };
				},
			});
			await reaches(id, 'failed');
			const [, second = 0, third = 0] = begun.slice(1).map((at, i) => at - (begun[i] as number));
			expect(begun).toHaveLength(4);
			expect(second).toBeGreaterThanOrEqual(99);
			expect(third).toBeGreaterThanOrEqual(399);
		});

		it('runs a job again that comes further each time its worker is lost, however often', async () => {
			const { id } = await queue.jobs.create(newJob());
			for (let attempt = 1; attempt <= 8; attempt++) {
				expect(await queue.claim(id, { retries: 1 })).toMatchObject({ attempt });
				await queue.jobs.update(id, { progress: attempt / 10 }, attempt);
			}
			expect(await queue.jobs.rebuild({ alone: true })).toBe(1);
			expect(await queue.jobs.get(id)).toMatchObject({ status: 'queued', setbacks: { count: 1, progress: 0.8 } });
			expect(await queue.claim(id, { retries: 1 })).toMatchObject({ attempt: 9 });
			expect(await queue.claim(id, { retries: 1 })).toBeNull();
			expect(await queue.jobs.get(id)).toMatchObject({ status: 'failed', error: { code: 'trainer_crashed' } });
		});

		it('removes a job that has ended with everything that it made, and no other', async () => {
			const { id } = await post();
			work({ process: async () => ({ status: 'succeeded', ...outcome }) });
			await expect(queue.jobs.remove('job_none')).rejects.toMatchObject({ code: 'not_found' });
			await reaches(id, 'succeeded');
			await until(async () => (await store.stat(`jobs/${id}/events.jsonl`)) !== null);
			await store.put(`jobs/${id}/attempts/1/model.onnx`, 'a model');
			await queue.jobs.remove(id);
			expect([await queue.jobs.get(id), await queue.events.read(id), await store.list('jobs')]).toEqual([null, [], []]);
			expect((await queue.jobs.list({ project: DEFAULT_PROJECT, limit: 10 })).data).toEqual([]);
			expect((await queue.jobs.counts()).succeeded).toBe(0);
			expect((await raw.keys('*')).filter((key) => key.includes(id))).toEqual([]);
			const waiting = await queue.jobs.create(newJob());
			await expect(queue.jobs.remove(waiting.id)).rejects.toMatchObject({ code: 'job_not_ended' });
			expect(await queue.jobs.get(waiting.id)).toEqual(waiting);
		});

		it('brings no removed job back, wherever the process was killed that removed it', async () => {
			const ended = async () => {
				const { id } = await queue.jobs.create(newJob());
				await queue.jobs.requestCancel(id);
				return id;
			};
			for (const allowed of [0, 1]) {
				const id = await ended();
				let removals = 0;
				const dying = await open({
					...store,
					async remove(key) {
						if (removals++ >= allowed) throw new Error('killed');
						await store.remove(key);
					},
				});
				await expect(dying.jobs.remove(id)).rejects.toThrow('killed');
				const whole = allowed === 0;
				expect((await queue.jobs.get(id)) !== null).toBe(whole);
				await raw.flushdb();
				await queue.jobs.rebuild();
				expect((await queue.jobs.get(id)) !== null).toBe(whole);
				if (whole) await queue.jobs.remove(id);
			}
			const id = await ended();
			await store.remove(`jobs/${id}/job.json`);
			await queue.jobs.remove(id);
			expect([await queue.jobs.get(id), await store.list(`jobs/${id}`)]).toEqual([null, []]);
		});

		it('leaves nothing of a job that is removed while its record is written', async () => {
			const { id } = await queue.jobs.create(newJob());
			let armed = true;
			const writing = await open({
				...store,
				async put(key, content) {
					if (armed && key === `jobs/${id}/job.json`) {
						armed = false;
						await queue.jobs.remove(id);
					}
					return store.put(key, content);
				},
			});
			await writing.jobs.requestCancel(id);
			expect([armed, await queue.jobs.get(id), await store.list(`jobs/${id}`)]).toEqual([false, null, []]);
		});

		it('cancels a queued job at once, and no worker runs it', async () => {
			const { id } = await post();
			expect(await queue.jobs.requestCancel(id)).toMatchObject({ status: 'cancelled', cancel_requested: true });
			await expect(queue.jobs.requestCancel(id)).rejects.toMatchObject({ code: 'job_not_cancellable' });
			await expect(queue.jobs.requestCancel('job_none')).rejects.toMatchObject({ code: 'not_found' });
			await queue.enqueue(id);
			const ran: string[] = [];
			const next = await post();
			work({
				async process(one) {
					ran.push(one);
					return { status: 'succeeded', ...outcome };
				},
			});
			await reaches(next.id, 'succeeded');
			expect(ran).toEqual([next.id]);
		});

		it('tells the worker of a running job that it is to be cancelled', async () => {
			const { id } = await post();
			const begun = gate<void>();
			work({
				checkMs: 3_600_000,
				async process(_, { signal }) {
					begun.open();
					expect((await aborted(signal)).code).toBe('cancelled');
					return { status: 'stopped' };
				},
			});
			await begun.opened;
			const other = await open();
			expect(await other.jobs.requestCancel(id)).toMatchObject({ status: 'running', cancel_requested: true });
			await reaches(id, 'cancelled');
			expect((await queue.jobs.get(id))?.finished_at).not.toBeNull();
		});

		it('finds a cancellation whose message was lost', async () => {
			const { id } = await post();
			const begun = gate<void>();
			work({
				checkMs: 20,
				async process(_, { signal }) {
					begun.open();
					throw await aborted(signal);
				},
			});
			await begun.opened;
			await queue.jobs.update(id, { cancel_requested: true });
			await reaches(id, 'cancelled');
		});

		it('pauses a queued job at once, which no worker runs until it is resumed', async () => {
			const { id } = await post();
			expect(await queue.jobs.requestPause(id)).toMatchObject({ status: 'paused' });
			expect(await queue.jobs.requestPause(id)).toMatchObject({ status: 'paused' });
			await queue.enqueue(id);
			const ran: string[] = [];
			const next = await post();
			work({
				async process(one) {
					ran.push(one);
					return { status: 'succeeded', ...outcome };
				},
			});
			await reaches(next.id, 'succeeded');
			expect(ran).toEqual([next.id]);
			expect(await queue.jobs.requestResume(id)).toMatchObject({ status: 'queued' });
			await reaches(id, 'succeeded');
			expect(await queue.jobs.requestResume(id).catch((error: ProblemError) => [error.code, error.message])).toEqual([
				'conflict',
				`${id} has already succeeded, and cannot be resumed`,
			]);
		});

		it('pauses a running job through its worker, and goes on with the next attempt when it is resumed', async () => {
			const { id } = await post();
			const begun = gate<void>();
			work({
				checkMs: 3_600_000,
				async process(_, { attempt, signal }) {
					if (attempt === 2) return { status: 'succeeded', ...outcome };
					begun.open();
					expect((await aborted(signal)).code).toBe('paused');
					return { status: 'stopped' };
				},
			});
			await begun.opened;
			const other = await open();
			expect(await other.jobs.requestResume(id)).toMatchObject({ status: 'running' });
			expect(await other.jobs.requestPause(id)).toMatchObject({ status: 'running', pause_requested: true });
			expect(await other.jobs.requestPause(id)).toMatchObject({ pause_requested: expect.any(Boolean) });
			await reaches(id, 'paused');
			expect(await queue.jobs.get(id)).toMatchObject({ attempt: 1, pause_requested: false, stage: null, finished_at: null });
			expect(await queue.jobs.countUsing('ds_ward')).toBe(1);
			await until(async () => (await kept(id)).status === 'paused');
			expect(await other.jobs.requestResume(id)).toMatchObject({ status: 'queued' });
			await reaches(id, 'succeeded');
			const events = await queue.events.read(id);
			expect(events.flatMap((event) => (event.type === 'status' ? [event.status] : []))).toEqual([
				'queued',
				'running',
				'paused',
				'queued',
				'running',
				'succeeded',
			]);
		});

		it('goes on with a job that is resumed before it was paused, or while it is paused', async () => {
			const { id } = await post();
			const begun = [gate<void>(), gate<void>()];
			const resumed = [gate<void>(), gate<void>()];
			work({
				async process(_, { attempt, signal }) {
					if (attempt === 3) return { status: 'succeeded', ...outcome };
					begun[attempt - 1]?.open();
					await aborted(signal);
					await resumed[attempt - 1]?.opened;
					return { status: 'stopped' };
				},
			});
			await begun[0]?.opened;
			await queue.jobs.requestPause(id);
			await queue.jobs.requestResume(id);
			resumed[0]?.open();
			await begun[1]?.opened;
			await queue.jobs.requestPause(id);
			resumed[1]?.open();
			// Its delivery may still stand at this moment.
			await until(async () => (await queue.jobs.get(id))?.status === 'paused');
			await queue.jobs.requestResume(id);
			await reaches(id, 'succeeded');
		});

		it('keeps a job paused whatever is lost, and can cancel it', async () => {
			const paused = await queue.jobs.create(newJob());
			await queue.jobs.requestPause(paused.id);
			const asked = await queue.jobs.create(newJob());
			await queue.claim(asked.id);
			await queue.jobs.requestPause(asked.id);
			await raw.flushdb();
			expect(await queue.jobs.rebuild()).toBe(0);
			for (const { id } of [paused, asked]) expect(await queue.jobs.get(id)).toMatchObject({ status: 'paused' });
			await queue.jobs.requestResume(asked.id);
			await queue.claim(asked.id);
			await queue.jobs.requestPause(asked.id);
			expect(await queue.claim(asked.id)).toBeNull();
			expect(await queue.jobs.get(asked.id)).toMatchObject({ status: 'paused', attempt: 2 });
			await queue.jobs.requestResume(asked.id);
			await queue.claim(asked.id);
			await queue.jobs.requestPause(asked.id);
			expect(await queue.jobs.rebuild({ alone: true })).toBe(0);
			expect(await queue.jobs.get(asked.id)).toMatchObject({ status: 'paused', attempt: 3 });
			expect(await queue.jobs.requestCancel(asked.id)).toMatchObject({ status: 'cancelled' });
			await expect(queue.jobs.requestPause(asked.id)).rejects.toMatchObject({ code: 'conflict' });
			await expect(queue.jobs.requestPause('job_none')).rejects.toMatchObject({ code: 'not_found' });
			await expect(queue.jobs.requestResume('job_none')).rejects.toMatchObject({ code: 'not_found' });
		});

		it('adds up how long attempts ran, and fails a job whose time is over unless its cancellation was answered', async () => {
			const over = { code: 'time_limit', message: 'It ran too long.', param: null };
			const [one, two] = [await queue.jobs.create(newJob()), await queue.jobs.create(newJob())];
			await queue.claim(one.id);
			expect(await queue.release(one.id, 1, { seconds: 2 })).toMatchObject({ status: 'queued', ran_seconds: 2 });
			await queue.claim(one.id);
			const failed = await queue.release(one.id, 2, { error: over, retries: null, seconds: 3 });
			expect(failed).toMatchObject({ status: 'failed', error: over, ran_seconds: 5 });
			await queue.claim(two.id);
			await queue.jobs.requestCancel(two.id);
			expect(await queue.release(two.id, 1, { error: over, retries: null, seconds: 1 })).toMatchObject({
				status: 'cancelled',
				error: null,
			});
		});

		it('refuses to pause or resume what is being cancelled', async () => {
			const { id } = await queue.jobs.create(newJob());
			await queue.claim(id);
			await queue.jobs.requestPause(id);
			await queue.jobs.requestCancel(id);
			await expect(queue.jobs.requestPause(id)).rejects.toThrow(`${id} is being cancelled, and cannot be paused`);
			await expect(queue.jobs.requestResume(id)).rejects.toThrow(`${id} is being cancelled; it can be resumed once it is cancelled`);
			expect(await queue.release(id, 1)).toMatchObject({ status: 'cancelled' });
		});

		it('goes on with a cancelled job that is resumed, with all its events, also where their stream is gone', async () => {
			const { id } = await queue.jobs.create(newJob());
			await queue.claim(id);
			await queue.events.append(id, { type: 'stage', stage: 'fusion' });
			await queue.jobs.requestCancel(id);
			await queue.release(id, 1);
			const before = await queue.events.read(id);
			await raw.del(`steelyard:2:events:${id}`);
			const resumed = await queue.jobs.requestResume(id);
			expect(resumed).toMatchObject({ status: 'queued', attempt: 1, cancel_requested: false, finished_at: null });
			expect(await queue.jobs.countUsing('ds_ward')).toBe(1);
			expect((await queue.events.read(id)).slice(0, -1)).toEqual(before);
			expect(await raw.pttl(`steelyard:2:events:${id}`)).toBe(-1);
			const followed: string[] = [];
			work({ process: async () => ({ status: 'succeeded', ...outcome }) });
			for await (const event of queue.events.follow(id, undefined, new AbortController().signal))
				followed.push(event.type === 'status' ? event.status : event.type);
			expect(followed).toEqual(['queued', 'running', 'stage', 'cancelled', 'queued', 'running', 'succeeded']);
			expect(await queue.jobs.get(id)).toMatchObject({ attempt: 2, artifacts: outcome.artifacts });
		});

		it('cancels a job whose cancellation was answered before its result, and runs it again when it is resumed', async () => {
			const { id } = await post();
			const asked = gate<void>();
			const begun = gate<void>();
			const told = gate<JobResource>();
			work({
				checkMs: 3_600_000,
				async process() {
					begun.open();
					await asked.opened;
					return { status: 'succeeded', ...outcome };
				},
				ended: (job) => told.open(job),
			});
			await begun.opened;
			expect(await queue.jobs.requestCancel(id)).toMatchObject({ cancel_requested: true });
			asked.open();
			expect(await told.opened).toMatchObject({ status: 'cancelled', result: null, artifacts: [] });
			await queue.jobs.requestResume(id);
			await reaches(id, 'succeeded');
			expect(await queue.jobs.get(id)).toMatchObject({ attempt: 2, result });
		});

		it('keeps a result for which the store has no room until there is some, says so, and heeds a cancellation meanwhile', async () => {
			let room = false;
			const cramped = await open({
				...store,
				async putExclusive(key, content) {
					if (!room) throw new ProblemError('insufficient_storage', 'No space is left');
					return store.putExclusive(key, content);
				},
			});
			const [one, two] = [await post(), await post()];
			let runs = 0;
			work(
				{
					concurrency: 2,
					async process() {
						runs++;
						return { status: 'succeeded', ...outcome };
					},
				},
				cramped,
			);
			for (const { id } of [one, two]) await until(async () => (await queue.jobs.get(id))?.waiting?.code === 'insufficient_storage');
			await queue.jobs.requestCancel(two.id);
			await reaches(two.id, 'cancelled');
			room = true;
			await reaches(one.id, 'succeeded');
			expect(await queue.jobs.get(one.id)).toMatchObject({ attempt: 1, waiting: null });
			expect(runs).toBe(2);
		});

		it('cancels and does not fail a job whose attempt fails after its cancellation was answered', async () => {
			const { id } = await post();
			const begun = gate<void>();
			work({
				async process(_, { signal }) {
					begun.open();
					await aborted(signal);
					return { status: 'failed', error: crash };
				},
			});
			await begun.opened;
			await queue.jobs.requestCancel(id);
			await reaches(id, 'cancelled');
			expect((await queue.jobs.get(id))?.error).toBeNull();
		});

		it('cancels and does not fail a job whose cancellation was answered before its attempt failed, which heard nothing of it', async () => {
			const [failing, throwing] = [await post(), await post()];
			const begun = [gate<void>(), gate<void>()];
			const asked = gate<void>();
			work({
				concurrency: 2,
				checkMs: 3_600_000,
				async process(id) {
					begun[id === failing.id ? 0 : 1]?.open();
					await asked.opened;
					if (id === throwing.id) throw new Error('it broke');
					return { status: 'failed', error: crash };
				},
			});
			for (const one of begun) await one.opened;
			for (const { id } of [failing, throwing]) await queue.jobs.update(id, { cancel_requested: true });
			asked.open();
			for (const { id } of [failing, throwing]) {
				await reaches(id, 'cancelled');
				expect((await queue.jobs.get(id))?.error).toBeNull();
			}
		});

		it('gives a job back when its worker ends, and the next worker has it at once', async () => {
			const { id } = await post();
			const begun = gate<void>();
			const ending = work({
				async process(_, { signal }) {
					begun.open();
					expect((await aborted(signal)).code).toBe('shutdown');
					return { status: 'stopped' };
				},
			});
			await begun.opened;
			await ending.close(30_000);
			expect(await queue.jobs.get(id)).toMatchObject({ status: 'queued', attempt: 1, finished_at: null });
			work({ process: async () => ({ status: 'succeeded', ...outcome }) });
			await reaches(id, 'succeeded');
			expect((await queue.jobs.get(id))?.attempt).toBe(2);
		});

		it('ends a worker in time whose job does not stop', async () => {
			const { id } = await post();
			const begun = gate<void>();
			const release = gate<void>();
			const stuck = work({
				async process() {
					begun.open();
					await release.opened;
					return { status: 'succeeded', ...outcome };
				},
			});
			await begun.opened;
			await stuck.close(50);
			expect((await queue.jobs.get(id))?.status).toBe('running');
			// Nobody else has taken the job meanwhile.
			release.open();
			await until(async () => (await store.get(`jobs/${id}/job.json`))?.includes('succeeded') === true);
		});

		it('gives the job of a killed worker to another', async () => {
			const { id } = await post();
			await lostWorker(id, 300);
			const lines: object[] = [];
			const log = { ...silent, warn: (fields: object) => lines.push(fields) };
			work({ lockMs: 300, log, process: async () => ({ status: 'succeeded', ...outcome }) });
			await reaches(id, 'succeeded');
			expect((await queue.jobs.get(id))?.attempt).toBe(2);
			expect(lines).toContainEqual({ job: id });
		});

		it('gives the job of a killed worker to another also where the clock of Redis was set back meanwhile', async () => {
			const { id } = await post();
			await lostWorker(id, 300);
			const HOUR = 3_600_000;
			expect(await raw.pexpire(`${DELIVERIES}:${id}:lock`, HOUR)).toBe(1);
			await raw.set(`${DELIVERIES}:stalled-check`, '1', 'PX', HOUR);
			work({ lockMs: 300, process: async () => ({ status: 'succeeded', ...outcome }) });
			await reaches(id, 'succeeded');
		});

		it('runs a job again that was put off before the clock was set back', async () => {
			const { id } = await post();
			work({
				lockMs: 300,
				retryMs: 10_000,
				process: async (_, { attempt }) => (attempt < 3 ? { status: 'retry', error: crash } : { status: 'succeeded', ...outcome }),
			});
			const delayed = `${DELIVERIES}:delayed`;
			await until(async () => (await raw.zcard(delayed)) === 1);
			await raw.zincrby(delayed, 3_600_000 * 4096, id);
			await reaches(id, 'succeeded');
		});

		it('fails a job whose workers were lost too often', async () => {
			const { id } = await post();
			await lostWorker(id, 300);
			work({ lockMs: 300, retries: 0, process: async () => ({ status: 'succeeded', ...outcome }) });
			await reaches(id, 'failed');
			expect((await queue.jobs.get(id))?.error).toMatchObject({ code: 'trainer_crashed' });
		});

		it('lets no stale attempt end or overwrite a job that another has taken', async () => {
			const { id } = await queue.jobs.create(newJob());
			expect(await queue.claim(id)).toMatchObject({ attempt: 1, status: 'running' });
			expect(await queue.claim(id)).toMatchObject({ attempt: 2, status: 'running' });
			await expect(queue.commit(id, 1, outcome)).rejects.toThrow(StaleAttemptError);
			expect(await store.get(`jobs/${id}/result.json`)).toBeNull();
			expect(await queue.jobs.update(id, { step: 1 }, 1)).toBeNull();
			expect(await queue.jobs.transition(id, ['running'], 'failed', {}, 1)).toBeNull();
			expect(await queue.commit(id, 2, outcome)).toMatchObject({ status: 'succeeded', attempt: 2 });
			const bytes = await store.get(`jobs/${id}/result.json`);
			await expect(queue.commit(id, 1, { ...outcome, artifacts: [] })).rejects.toThrow(StaleAttemptError);
			expect(await store.get(`jobs/${id}/result.json`)).toEqual(bytes);
			expect(await queue.commit(id, 2, outcome)).toMatchObject({ status: 'succeeded', attempt: 2 });
			expect(await queue.claim(id)).toBeNull();
		});

		it('lets one of two attempts win that commit at the same moment', async () => {
			const { id } = await queue.jobs.create(newJob());
			await queue.claim(id);
			// The first has passed every check when the second takes the job.
			let second: Promise<unknown> = Promise.resolve();
			const slow: Store = {
				...store,
				async putExclusive(key, content) {
					await queue.claim(id);
					second = queue.commit(id, 2, outcome);
					await second;
					return store.putExclusive(key, content);
				},
			};
			await expect((await open(slow)).commit(id, 1, { ...outcome, artifacts: [] })).rejects.toThrow(StaleAttemptError);
			await second;
			expect(await queue.jobs.get(id)).toMatchObject({ status: 'succeeded', attempt: 2, artifacts: outcome.artifacts });
		});

		it('ends a job whose worker died between its result and its record', async () => {
			const { id } = await post();
			await queue.claim(id);
			await store.putExclusive(`jobs/${id}/result.json`, JSON.stringify({ attempt: 1, finished_at: 7, ...outcome }));
			let ran = false;
			work({
				async process() {
					ran = true;
					return { status: 'stopped' };
				},
			});
			await reaches(id, 'succeeded');
			expect(ran).toBe(false);
			expect(await queue.jobs.get(id)).toMatchObject({ attempt: 1, finished_at: 7, result });
		});

		it('tells of every job that has ended, whoever ended it, until that was heard', async () => {
			const done = await queue.jobs.create(newJob());
			await queue.claim(done.id);
			await queue.commit(done.id, 1, outcome);
			const cancelled = await post();
			await queue.jobs.requestCancel(cancelled.id);
			const waiting = await queue.jobs.create(newJob());
			await queue.jobs.requestPause(waiting.id);
			const told = new Set<string>();
			const first = work({
				process: async () => ({ status: 'stopped' }),
				ended({ id }) {
					told.add(id);
					throw new Error('the disk broke');
				},
			});
			await until(() => told.size === 2);
			await first.close(5000);
			const heard = new Set<string>();
			const second = work({ process: async () => ({ status: 'stopped' }), ended: ({ id }) => void heard.add(id) });
			await until(() => heard.size === 2);
			expect([...heard].sort()).toEqual([done.id, cancelled.id].sort());
			await until(async () => (await raw.scard('steelyard:2:ended')) === 0);
			await second.close(5000);
			await raw.flushdb();
			await queue.jobs.rebuild();
			expect(await raw.scard('steelyard:2:ended')).toBe(2);
		});

		it('tells a worker whose job was given to another that it has lost it', async () => {
			const { id } = await post();
			const begun = gate<void>();
			const lost = gate<string>();
			work({
				checkMs: 20,
				async process(_, { signal }) {
					begun.open();
					lost.open((await aborted(signal)).code);
					return { status: 'stopped' };
				},
			});
			await begun.opened;
			await queue.claim(id);
			expect(await lost.opened).toBe('lost');
			expect(await queue.jobs.get(id)).toMatchObject({ status: 'running', attempt: 2 });
		});

		it('rebuilds a Redis that has lost everything from the store', async () => {
			const done = await queue.jobs.create(newJob());
			await queue.claim(done.id);
			await queue.commit(done.id, 1, outcome);
			const events = await queue.events.read(done.id);
			const waiting = await post();
			const running = await post();
			await queue.claim(running.id);
			await raw.flushdb();

			expect(await queue.jobs.rebuild()).toBe(2);
			expect(await queue.jobs.get(done.id)).toMatchObject({ status: 'succeeded', result });
			expect(await queue.events.read(done.id)).toEqual(events);
			expect(await queue.events.read(done.id, { after: events[0]?.id as string, limit: 1 })).toEqual([events[1]]);
			expect(await queue.jobs.get(waiting.id)).toEqual(waiting);
			expect(await queue.jobs.get(running.id)).toMatchObject({ status: 'queued', attempt: 1 });
			expect(await queue.jobs.rebuild()).toBe(0);
			work({ process: async () => ({ status: 'succeeded', ...outcome }) });
			await reaches(waiting.id, 'succeeded');
			await reaches(running.id, 'succeeded');
			expect((await queue.jobs.get(running.id))?.attempt).toBe(2);
		});

		it('knows after Redis was emptied what keys were used for, which jobs there are and what they use', async () => {
			const request = { idempotencyKey: 'kept', bodyHash: '1' };
			const postedNow = { ...newJob('ds_a'), created_at: Math.floor(Date.now() / 1000) };
			const first = await queue.jobs.create(postedNow, request);
			await queue.jobs.create({ ...newJob(), created_at: 1 }, { idempotencyKey: 'old', bodyHash: '1' });
			for (const ask of [
				async () => (await queue.jobs.create(newJob('ds_a'), request)).id,
				async () => (await queue.jobs.repeated({ project: DEFAULT_PROJECT, ...request }))?.id,
				async () => (await queue.jobs.get(first.id))?.id,
				async () => (await queue.jobs.list({ project: DEFAULT_PROJECT, limit: 9 })).data.at(-1)?.id,
			]) {
				await raw.flushdb();
				expect(await ask()).toBe(first.id);
			}
			await raw.flushdb();
			expect(await queue.jobs.countUsing('ds_a')).toBe(1);
			await expect(queue.jobs.repeated({ project: DEFAULT_PROJECT, ...request, bodyHash: '2' })).rejects.toMatchObject({
				code: 'idempotency_mismatch',
			});
			for (const idempotencyKey of ['old', 'new'])
				expect(await queue.jobs.repeated({ project: DEFAULT_PROJECT, ...request, idempotencyKey })).toBeNull();
		});

		for (const when of ['before', 'after'] as const)
			it(`keeps a job that is posted, and a cancellation, where Redis is emptied ${when} they are written to the store`, async () => {
				let armed = true;
				const emptied = await open({
					...store,
					async put(key, content) {
						const empties = armed && key.endsWith('/job.json');
						if (empties) armed = false;
						if (empties && when === 'before') await raw.flushdb();
						const digest = await store.put(key, content);
						if (empties && when === 'after') await raw.flushdb();
						return digest;
					},
				});
				const { id } = await emptied.jobs.create(newJob(), { idempotencyKey: 'k', bodyHash: '1' });
				expect(armed).toBe(false);
				expect(await queue.jobs.get(id)).toMatchObject({ status: 'queued' });
				await queue.claim(id);
				armed = true;
				await emptied.jobs.requestCancel(id);
				expect(armed).toBe(false);
				// A job that was running runs nowhere now.
				expect(await queue.jobs.get(id)).toMatchObject({ status: 'cancelled' });
				expect((await queue.events.read(id)).at(-1)).toMatchObject({ type: 'status', status: 'cancelled' });
			});

		it('keeps the end of a job where Redis is emptied before its events are read', async () => {
			const { id } = await post();
			const send = Redis.prototype.sendCommand;
			const commands = vi.spyOn(Redis.prototype, 'sendCommand').mockImplementation(function (this: Redis, command, ...rest) {
				// What reads the record that is to be written.
				if (command.name !== 'hmget' || !command.args.includes('turn')) return send.call(this, command, ...rest);
				commands.mockRestore();
				return raw.flushdb().then(() => send.call(this, command, ...rest));
			});
			try {
				await queue.jobs.requestCancel(id);
			} finally {
				commands.mockRestore();
			}
			expect(await queue.jobs.get(id)).toMatchObject({ status: 'cancelled' });
			expect(await queue.events.read(id)).toMatchObject([{ type: 'status', status: 'cancelled' }]);
		});

		it('sets a torn record aside and goes on with the others', async () => {
			const torn = await post();
			const whole = await post();
			await store.put(`jobs/${torn.id}/job.json`, '{"id": "job_');
			await raw.flushdb();
			expect(await queue.jobs.rebuild()).toBe(1);
			expect(await queue.jobs.get(torn.id)).toBeNull();
			expect(await listDamaged(store)).toEqual([`jobs/${torn.id}/job.json.damaged`]);
			await store.put(`jobs/${whole.id}/result.json`, '');
			work({ process: async () => ({ status: 'succeeded', ...outcome }) });
			await reaches(whole.id, 'succeeded');
		});

		it('adds jobs that have ended to a new Redis by little more than a command each, with their lists, counts and ends', async () => {
			const done = Array.from({ length: 100 }, (_, i) => ({
				...newJob(),
				project: i % 3 === 0 ? 'ward' : 'lab',
				status: i % 2 === 0 ? ('succeeded' as const) : ('failed' as const),
			}));
			for (const job of done) await store.put(`jobs/${job.id}/job.json`, JSON.stringify(job));
			const waits = newJob();
			await store.put(`jobs/${waits.id}/job.json`, JSON.stringify(waits));
			const commands = vi.spyOn(Redis.prototype, 'sendCommand');
			try {
				await queue.jobs.rebuild();
				expect(commands.mock.calls.length).toBeGreaterThan(100);
				expect(commands.mock.calls.length).toBeLessThan(200);
				commands.mockClear();
				expect(await queue.jobs.rebuild()).toBe(0);
				expect(commands.mock.calls.length).toBeLessThan(100);
			} finally {
				commands.mockRestore();
			}
			expect(await queue.jobs.projects()).toEqual(['default', 'lab', 'ward']);
			expect(await queue.jobs.counts('ward')).toMatchObject({ queued: 0, succeeded: 17, failed: 17 });
			expect(await queue.jobs.counts('lab')).toMatchObject({ queued: 0, succeeded: 33, failed: 33 });
			expect(await queue.jobs.counts()).toMatchObject({ queued: 1 });
			const page = await queue.jobs.list({ project: 'ward', limit: 100 });
			const ofWard = done.filter(({ project }) => project === 'ward').sort((a, b) => (a.id < b.id ? 1 : -1));
			expect(page).toEqual({ object: 'list', data: ofWard, has_more: false, next: null });
			const heard = new Set<string>();
			work({ process: async () => ({ status: 'stopped' }), ended: ({ id }) => void heard.add(id) });
			await until(async () => done.every(({ id }) => heard.has(id)));
		});

		it('finds by itself the jobs that a new Redis does not know', async () => {
			const { id } = await post();
			await raw.flushdb();
			work({ process: async () => ({ status: 'succeeded', ...outcome }) });
			await reaches(id, 'succeeded');
		});

		it('queues again at once what a killed worker held, when none can be alive', async () => {
			const { id } = await post();
			await lostWorker(id, 3_600_000);
			expect(await queue.jobs.rebuild({ alone: true })).toBe(1);
			expect(await queue.jobs.get(id)).toMatchObject({ status: 'queued', attempt: 1 });
			work({ process: async () => ({ status: 'succeeded', ...outcome }) });
			await reaches(id, 'succeeded');
		});

		it('queues a job that was created but never handed over', async () => {
			const { id } = await queue.jobs.create(newJob());
			work({ process: async () => ({ status: 'succeeded', ...outcome }) });
			await reaches(id, 'succeeded');
		});

		it('has a model inspected beside a running job, and keeps the verdict alone', async () => {
			const begun = gate<void>();
			work({
				async process(_, { signal }) {
					begun.open();
					await aborted(signal);
					return { status: 'stopped' };
				},
			});
			await post();
			await begun.opened;
			const id = await upload();
			expect(await queue.inspections.verdict(id)).toBeNull();
			const other = await upload();
			inspect({
				process: async (one) =>
					one === id ? ready : { status: 'refused', report: null, error: { code: 'invalid_model', message: 'm', param: 'x' } },
			});
			expect(await judgedAs(id)).toEqual(ready);
			expect(await judgedAs(other)).toMatchObject({ status: 'refused', error: { message: 'm' } });
			await until(async () => (await filesOf(id)).length === 2);
			expect(await filesOf(id)).toEqual([`models/${id}/model.json`, `models/${id}/report.json`]);
		});

		it('lets the first verdict stand', async () => {
			const id = await upload();
			inspect({
				async process() {
					await store.putExclusive(`models/${id}/report.json`, JSON.stringify(ready));
					return { status: 'refused', report: null, error: { code: 'invalid_model', message: 'later', param: null } };
				},
			});
			await until(async () => (await filesOf(id)).length === 2);
			expect(await judgedAs(id)).toEqual(ready);
		});

		it('queues again the models that only the store knows, and those that have no verdict alone', async () => {
			const judged = await upload();
			await store.put(`models/${judged}/report.json`, JSON.stringify(ready));
			const waiting = await upload();
			await raw.flushdb();
			expect(await queue.inspections.rebuild()).toBe(1);
			expect(await queue.inspections.rebuild()).toBe(0);
			const seen: string[] = [];
			inspect({
				async process(id) {
					seen.push(id);
					return ready;
				},
			});
			await judgedAs(waiting);
			expect(seen).toEqual([waiting]);
		});

		it('finds by itself the models that a new Redis does not know', async () => {
			const id = await upload();
			await raw.flushdb();
			inspect({ process: async () => ready });
			expect(await judgedAs(id)).toEqual(ready);
		});

		it('gives the model of a killed worker to another, which refuses it after three', async () => {
			const id = await upload();
			await lostWorker(id, 300, true);
			await lostWorker(id, 300, true);
			const runs: string[] = [];
			const last = inspect({
				lockMs: 300,
				async process(one, signal) {
					runs.push(one);
					await aborted(signal);
					throw new Error('it is to end');
				},
			});
			await until(() => runs.length === 1);
			// Handed back by one that ends in order, which does not count.
			await last.close(5000);
			await lostWorker(id, 300, true);
			inspect({
				lockMs: 300,
				async process(one) {
					runs.push(one);
					return ready;
				},
			});
			expect(await judgedAs(id)).toEqual({
				status: 'refused',
				report: null,
				error: {
					code: 'invalid_model',
					message: 'The model could not be inspected in 3 attempts: the worker was lost each time',
					param: null,
				},
			});
			expect(runs).toEqual([id]);
		});

		it('queues at once what a killed worker was inspecting, when none can be alive', async () => {
			const id = await upload();
			await lostWorker(id, 3_600_000, true);
			expect(await queue.inspections.rebuild({ alone: true })).toBe(1);
			inspect({ process: async () => ready });
			expect(await judgedAs(id)).toEqual(ready);
		});

		it('inspects a model again where that failed, and says at last why', async () => {
			let runs = 0;
			const id = await upload();
			inspect({
				process() {
					runs++;
					throw new Error(`the disk broke ${runs} times`);
				},
			});
			expect(await judgedAs(id)).toMatchObject({
				status: 'refused',
				error: { message: 'The model could not be inspected in 3 attempts: the disk broke 3 times' },
			});
			expect(runs).toBe(3);
		});

		it('leaves nothing of a model that was deleted while it was inspected, and inspects none that is gone', async () => {
			const gone = await upload();
			await store.remove(`models/${gone}`);
			const withdrawn = await upload();
			await store.remove(`models/${withdrawn}`);
			await queue.inspections.withdraw(withdrawn);
			const id = await upload();
			const next = await upload();
			const seen: string[] = [];
			inspect({
				async process(one) {
					seen.push(one);
					if (one === id) await store.remove(`models/${id}`);
					return ready;
				},
			});
			await judgedAs(next);
			expect(seen).toEqual([id, next]);
			expect(await store.list('models', { deep: false })).toEqual([`models/${next}/`]);
		});

		it('reads events in pages and follows them from any point over one connection', async () => {
			const { id } = await queue.jobs.create(newJob());
			await queue.claim(id);
			for (let step = 0; step < 5; step++) await queue.events.append(id, { type: 'stage', stage: 'fusion' });
			const all = await queue.events.read(id);
			expect(all).toHaveLength(7);
			expect(new Set(all.map((event) => event.id)).size).toBe(7);
			expect(await queue.events.read(id, { after: all[2]?.id as string, limit: 2 })).toEqual(all.slice(3, 5));

			const followers = Array.from({ length: 6 }, async (_, from) => {
				const seen: JobEvent[] = [];
				for await (const event of queue.events.follow(id, all[from]?.id, new AbortController().signal)) seen.push(event);
				return seen;
			});
			await until(async () => Number(((await raw.pubsub('NUMSUB', 'steelyard:2:happened')) as unknown[])[1]) > 0);
			const late = (await queue.events.append(id, { type: 'stage', stage: 'exporting' })) as JobEvent;
			await queue.commit(id, 1, outcome);
			const last = (await queue.events.read(id)).at(-1) as JobEvent;
			for (const [from, seen] of (await Promise.all(followers)).entries()) expect(seen).toEqual([...all.slice(from + 1), late, last]);
			expect(Number(((await raw.pubsub('NUMSUB', 'steelyard:2:happened')) as unknown[])[1])).toBe(1);
			expect(await queue.events.append(id, { type: 'stage', stage: 'fusion' })).toBeNull();
			expect(await queue.events.append('job_none', { type: 'stage', stage: 'fusion' })).toBeNull();
			const lines = ((await store.get(`jobs/${id}/events.jsonl`)) as Buffer).toString().trimEnd().split('\n');
			expect(lines.map((line) => JSON.parse(line) as JobEvent)).toEqual([...all, late, last]);
		});

		it('stops following when told to', async () => {
			const { id } = await queue.jobs.create(newJob());
			const leave = new AbortController();
			let seen = 0;
			for await (const _ of queue.events.follow(id, undefined, leave.signal)) {
				seen++;
				setImmediate(() => leave.abort());
			}
			expect(seen).toBe(1);
		});

		it('lists the workers that give signs of life', async () => {
			const status = {
				id: 'w1',
				pid: 1,
				started_at: 2,
				version: '0',
				devices: { cpu: { available: true }, cuda: { available: false, note: 'no' } },
				jobs: [] as string[],
			} as const;
			await queue.workers.announce({ ...status, jobs: [] });
			await queue.workers.announce({ ...status, jobs: ['job_a'] });
			await queue.workers.announce({ ...status, id: 'w2', jobs: [] });
			expect((await queue.workers.list()).map(({ id, jobs }) => [id, jobs])).toEqual([
				['w1', ['job_a']],
				['w2', []],
			]);
			expect(await raw.pttl('steelyard:2:worker:w1')).toBeGreaterThan(0);
			await raw.del('steelyard:2:worker:w1');
			expect((await queue.workers.list()).map(({ id }) => id)).toEqual(['w2']);
			await queue.workers.withdraw('w2');
			expect(await queue.workers.list()).toEqual([]);
		});

		it('says of what kind the Redis is and whether it will do', async () => {
			const health = await queue.health();
			expect(health).toMatchObject({ ok: true, kind: redis.kind });
			expect(health.version).toMatch(/^\d+\.\d+/);
		});

		it('does not wait long for a Redis that hangs, and makes no job of a post that it gave up', async () => {
			const hurried = await openQueue({ redis: redis.options, store, longestMs: 100 });
			queues.push(hurried);
			const { id } = await queue.jobs.create(newJob());
			const opened = gate<null>();
			const slow: Store = { ...store, put: (key, content) => opened.opened.then(() => store.put(key, content)) };
			const late = await openQueue({ redis: redis.options, store: slow, longestMs: 100 });
			queues.push(late);
			await expect(late.jobs.create(newJob())).rejects.toMatchObject({ code: 'unavailable' });
			opened.open(null);
			await until(async () => (await queue.jobs.counts()).queued === 1);
			expect(await queue.jobs.list({ project: DEFAULT_PROJECT, limit: 10 })).toMatchObject({ data: [{ id }] });
			await raw.call('CLIENT', 'PAUSE', '1000', 'ALL').catch(() => null);
			if (redis.kind === 'javascript') return;
			await expect(hurried.jobs.get(id)).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('within 0.1 s') });
		});

		it('says what a Redis says that takes no writes', async () => {
			if (redis.kind === 'javascript') return;
			await raw.config('SET', 'maxmemory', '1');
			try {
				await expect(queue.jobs.create(newJob())).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('OOM') });
				expect(await queue.health()).toMatchObject({ ok: false, note: expect.stringContaining('OOM') });
			} finally {
				await raw.config('SET', 'maxmemory', '0');
			}
			expect(await queue.health()).toMatchObject({ ok: true });
		});

		it('keeps the fields that it does not know when it changes a record, in Redis and in the store', async () => {
			const unknown = { invented: { later: [1] } };
			const job = newJob();
			const { id } = await post({ ...job, ...unknown, spec: { ...job.spec, ...unknown } } as JobResource);
			await queue.jobs.requestPause(id);
			await queue.jobs.annotate(id, { name: 'other' });
			await queue.jobs.requestResume(id);
			work({ process: async () => ({ status: 'succeeded', ...outcome }) });
			await reaches(id, 'succeeded');
			await until(async () => (await kept(id)).status === 'succeeded');
			for (const record of [await queue.jobs.get(id), await kept(id)])
				expect(record).toMatchObject({ ...unknown, spec: { ...unknown, name: 'other' } });
		});

		it('leaves a job that a newer version has written as it is, says so, and runs the others', async () => {
			const job = await queue.jobs.create(newJob());
			const { id } = job;
			const written = { ...job, schema_version: 2, invented: true };
			await raw.hset(`steelyard:2:job:${id}`, 'record', JSON.stringify(written));
			await raw.sadd('steelyard:2:unsaved', id);
			await store.put(`jobs/${id}/job.json`, JSON.stringify(written));
			const stored = String(await store.get(`jobs/${id}/job.json`));
			const other = await post();
			const refusal = {
				code: 'unavailable',
				message: expect.stringMatching(`^${id} was written by a newer version .* schema_version is 2,`),
			};
			await expect(queue.jobs.get(id)).rejects.toMatchObject(refusal);
			await expect(queue.jobs.requestCancel(id)).rejects.toMatchObject(refusal);
			await expect(queue.jobs.annotate(id, { name: 'n' })).rejects.toMatchObject(refusal);
			await queue.enqueue(id);
			const ran: string[] = [];
			const lines: object[] = [];
			const log = { ...silent, warn: (line: object) => void lines.push(line) };
			work({
				log,
				process: async (begun) => {
					ran.push(begun);
					return { status: 'succeeded', ...outcome };
				},
			});
			await reaches(other.id, 'succeeded');
			await until(() => lines.some((line) => (line as { job?: string }).job === id));
			expect(ran).toEqual([other.id]);
			const { data } = await queue.jobs.list({ project: DEFAULT_PROJECT, limit: 10 });
			expect(data.map((job) => job.id)).toEqual([other.id]);
			expect(await queue.jobs.oldestQueued()).toBeNull();
			await queue.jobs.rebuild({ alone: true });
			const [record] = await raw.hmget(`steelyard:2:job:${id}`, 'record');
			expect(JSON.parse(String(record))).toEqual(written);
			expect(String(await store.get(`jobs/${id}/job.json`))).toBe(stored);
		});

		it('leaves a job that a newer version has written in the store where Redis was emptied', async () => {
			const written = { ...newJob(), schema_version: 2 };
			await store.put(`jobs/${written.id}/job.json`, JSON.stringify(written));
			const other = newJob();
			await store.put(`jobs/${other.id}/job.json`, JSON.stringify(other));
			expect(await queue.jobs.rebuild()).toBe(1);
			expect(await queue.jobs.get(written.id)).toBeNull();
			expect(await raw.exists(`steelyard:2:job:${written.id}`)).toBe(0);
		});

		it('keeps every key under its prefix', async () => {
			await post();
			const other = await openQueue({ redis: redis.options, store, prefix: 'other' });
			queues.push(other);
			expect((await other.jobs.counts()).queued).toBe(0);
			expect((await raw.keys('*')).filter((key) => !/^(steelyard|other):/.test(key))).toEqual([]);
		});
	});

it('a job outlives the death of a Redis that keeps nothing', async () => {
	const home = await temporaryFolder();
	const redis = await launchRedis({ home, binary: null });
	const queue = await openQueue({ redis: redis.options, store: await openStore(home) });
	const begun = gate<void>();
	const running = await queue.jobs.create(newJob());
	const work = queue.work({
		checkMs: 50,
		async process(id, { attempt, signal }) {
			if (attempt > 1 || id !== running.id) return { status: 'succeeded', ...outcome };
			begun.open();
			await aborted(signal);
			return { status: 'stopped' };
		},
	});
	await queue.enqueue(running.id);
	await begun.opened;
	const waiting = await queue.jobs.create(newJob());
	await queue.enqueue(waiting.id);
	const { pid } = JSON.parse(await readFile(join(home, 'redis/server.json'), 'utf8')) as { pid: number };
	process.kill(pid, 'SIGKILL');
	for (const { id } of [running, waiting]) await until(async () => (await queue.jobs.get(id))?.status === 'succeeded');
	expect((await queue.jobs.get(running.id))?.attempt).toBe(2);
	await work.close(5000);
	await queue.close();
	await redis.close();
	await remove(home);
});

it('a queue that has no Redis says so', async () => {
	const folder = await temporaryFolder();
	const store = await openStore(folder);
	await expect(openQueue({ redis: { path: join(folder, 'none.sock'), maxRetriesPerRequest: 0 }, store })).rejects.toThrow(
		/ENOENT|closed|retries/,
	);
	await remove(folder);
});
