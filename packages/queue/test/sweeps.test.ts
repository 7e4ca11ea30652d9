import { createHash } from 'node:crypto';
import { type JobResource, type JobSpec, parseSweepSpec, type SweepResource, type SweepSpec, warmStartOf } from '@steelyard/contracts';
import type { RedisHandle } from '@steelyard/redis';
import { listIds, type Store, sweepKeys } from '@steelyard/store';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until, ways } from '../../redis/test/servers.js';
import { type AttemptEnd, openQueue, type Queue, type Work, type WorkOptions } from '../src/index.js';
import { withEmptiedRedis } from './emptied-redis.js';
import { result } from './job.js';

const RATE = 'training.optimizer.learning_rate';
const SPACE = {
	[RATE]: { type: 'log-uniform', low: 1e-4, high: 1e-1 },
	'weighting.preset': { type: 'choice', values: ['uniform', 'btw'] },
};
/** A sweep as a client posts it, of 12 trials drawn at random unless told otherwise. */
const sweepOf = (fields: object = {}, training: object = {}): SweepSpec =>
	parseSweepSpec({
		job: { dataset: 'ds_ward', training: { epochs: 9, ...training } },
		space: SPACE,
		search: { type: 'random' },
		budget: { trials: 12 },
		...fields,
	});
const asha = { pruning: { type: 'asha', minimum: 1, factor: 3 } };

const rateOf = ({ training }: JobSpec): number => training.optimizer.learning_rate;

describe('the jobs of a sweep', () => {
	const first = (spec: SweepSpec, queue: Pick<Queue, 'sweeps'>): JobSpec[] => queue.sweeps.check(spec);

	for (const { way, absent, start } of ways)
		describe.skipIf(absent)(`on ${way}`, () => {
			let redis: RedisHandle;
			let raw: Redis;
			let store: Store;
			let queue: Queue;
			const works: Work[] = [];
			const queues: Queue[] = [];

			const open = async () => {
				const opened = await openQueue({ redis: redis.options, store });
				queues.push(opened);
				return opened;
			};
			/** Has workers end jobs with a loss that is a function of their specs, the lowest near 0.01; one trial in eight fails. */
			const lossOf = (spec: JobSpec): number => Math.abs(Math.log10(rateOf(spec)) + 2) + (spec.weighting.preset === 'btw' ? 0 : 0.1);
			const trained = (spec: JobSpec): AttemptEnd => {
				if (
					(createHash('sha256')
						.update(String(rateOf(spec)))
						.digest()[0] as number) < 32
				)
					return { status: 'failed', error: { code: 'training_failed', message: 'It diverged.', param: null } };
				const artifacts = [{ name: 'training-state.safetensors', bytes: 1, sha256: 'a', content_type: 'application/octet-stream' }];
				return { status: 'succeeded', result: { ...result, metrics: { validation: { loss: lossOf(spec) } } }, artifacts };
			};
			const work = (options: Partial<WorkOptions> = {}, by = queue) => {
				const begun = by.work({ process: async (_, { job }) => trained(job.spec), ...options });
				works.push(begun);
				return begun;
			};
			const ended = async (id: string): Promise<SweepResource> => {
				await until(async () => (await queue.sweeps.get(id))?.finished_at !== null);
				return (await queue.sweeps.get(id)) as SweepResource;
			};
			const create = (spec: SweepSpec) => queue.sweeps.create('default', spec);
			/** What a sweep has found, without the ids of its jobs. */
			const found = ({ trials, counts, status }: SweepResource) => ({
				status,
				counts,
				trials: trials.map(({ job: _job, ...trial }) => trial),
			});
			const jobsOf = async ({ id }: { id: string }): Promise<JobResource[]> =>
				(await queue.jobs.list({ project: 'default', limit: 100 })).data.filter(({ sweep }) => sweep?.id === id);

			withEmptiedRedis(start, (emptied) => ({ redis, raw, store } = emptied));
			beforeEach(async () => {
				queue = await open();
			});
			afterEach(async () => {
				for (const one of works.splice(0)) await one.close(5000);
				for (const one of queues.splice(0)) await one.close();
			});

			it('are ordinary jobs, no more at once than its concurrency, each with the values of its trial', async () => {
				const spec = sweepOf({ concurrency: 3 });
				const sweep = await create(spec);
				expect(sweep).toMatchObject({ status: 'running', counts: { running: 3, completed: 0 }, best: null, finished_at: null });
				let most = 0;
				work({
					concurrency: 2,
					async process(_, { job }) {
						const { queued, running } = await queue.jobs.counts();
						most = Math.max(most, queued + running);
						return trained(job.spec);
					},
				});
				const { trials, best, status, counts } = await ended(sweep.id);
				expect(most).toBeLessThanOrEqual(3);
				expect(status).toBe('succeeded');
				expect(counts.completed + counts.failed).toBe(12);
				const jobs = await jobsOf(sweep);
				expect(jobs).toHaveLength(12);
				for (const { job, assignment, value, state } of trials) {
					const made = jobs.find(({ id }) => id === job) as JobResource;
					expect(made.spec).toMatchObject({ training: { optimizer: { learning_rate: assignment[RATE] } }, dataset: 'ds_ward' });
					expect(made.spec.weighting.preset).toBe(assignment['weighting.preset']);
					if (state === 'completed') expect(value).toBe(lossOf(made.spec));
				}
				expect(best?.mean).toBe(Math.min(...trials.flatMap(({ value }) => value ?? [])));
				expect(best?.jobs).toEqual([trials[0]?.job]);
			});

			it('are the same for equal sweeps, whatever number of workers takes them, and in whatever order they end', async () => {
				const spec = sweepOf({ ...asha, search: { type: 'tpe', startup: 4 }, budget: { trials: 14 } });
				work();
				const alone = await ended((await create(spec)).id);
				for (let i = 0; i < 2; i++) work({ concurrency: 2 }, await open());
				const together = await ended((await create(spec)).id);
				expect(found(together)).toEqual(found(alone));
				expect(alone.counts.pruned).toBeGreaterThan(0);
				expect(alone.counts.completed).toBeGreaterThan(0);
			});

			it('of a trial that goes on begin with the last parameters and the optimizer of the one before, and train what is left', async () => {
				work();
				const sweep = await ended((await create(sweepOf({ ...asha, budget: { trials: 9 } }))).id);
				const jobs = new Map((await jobsOf(sweep)).map((job) => [job.id, job]));
				const completed = sweep.trials.filter(({ state }) => state === 'completed');
				expect(completed.length).toBeGreaterThan(0);
				for (const { job, epochs, trial } of completed) {
					let [id, sum]: [string | undefined, number] = [job, 0];
					for (; id !== undefined; ) {
						const { spec, sweep: own } = jobs.get(id) as JobResource;
						expect(own).toEqual({ id: sweep.id, trial });
						sum += spec.training.epochs;
						const before = warmStartOf(spec.training);
						if (before !== null) expect(before).toMatchObject({ parameters: 'last', optimizer: true });
						id = before?.job;
					}
					expect(sum).toBe(epochs);
					expect(epochs).toBe(9);
				}
			});

			it('are trained with as many seeds as it wants, whose mean counts', async () => {
				work({
					async process(_, { job: { spec } }) {
						const metrics = { validation: { loss: rateOf(spec) * spec.training.seed } };
						return { status: 'succeeded', result: { ...result, metrics }, artifacts: [] };
					},
				});
				const sweep = await ended((await create(sweepOf({ seeds: 3, budget: { trials: 7 } }, { seed: 5 }))).id);
				expect(sweep.trials).toHaveLength(6);
				const { assignment, mean, low, high, jobs } = sweep.best as NonNullable<SweepResource['best']>;
				const rate = assignment[RATE] as number;
				expect(mean).toBeCloseTo(6 * rate, 12);
				// seeds 5, 6 and 7 of the jobs; Student's t of two degrees of freedom is 4.303
				expect([low, high]).toEqual([
					expect.closeTo((6 - 4.3027 / Math.sqrt(3)) * rate, 6),
					expect.closeTo((6 + 4.3027 / Math.sqrt(3)) * rate, 6),
				]);
				expect(new Set(jobs).size).toBe(3);
			});

			it('that ended while nobody looked are found, also where Redis was emptied', async () => {
				const sweep = await create(sweepOf());
				const undisturbed = sweepOf();
				await raw.flushdb();
				work({}, await open());
				const disturbed = await ended(sweep.id);
				expect(found(disturbed)).toEqual(found(await ended((await create(undisturbed)).id)));
			});

			it('are made once, however many processes take the sweep further at once, and made where a killed one had not', async () => {
				const spec = sweepOf({ concurrency: 4 });
				const sweep = await create(spec);
				const others = [await open(), await open(), await open()];
				await Promise.all(others.flatMap(({ sweeps }) => [sweeps.advance(sweep.id), sweeps.advance(sweep.id)]));
				expect(await jobsOf(sweep)).toHaveLength(4);
				// as if its process was killed behind the decision
				const [one] = await jobsOf(sweep);
				await queue.jobs.discard(one?.id as string);
				expect(await jobsOf(sweep)).toHaveLength(3);
				await others[0]?.sweeps.advance(sweep.id);
				expect((await jobsOf(sweep)).map(({ id }) => id)).toContain(one?.id);
			});

			it('are no more while it is paused, go on when it is resumed, and are cancelled with it', async () => {
				const sweep = await create(sweepOf({ concurrency: 2 }));
				expect(await queue.sweeps.wish(sweep.id, 'paused')).toMatchObject({ status: 'paused' });
				const worker = work();
				await until(async () => (await queue.sweeps.get(sweep.id))?.counts.running === 0);
				await queue.sweeps.advance(sweep.id);
				expect((await queue.sweeps.get(sweep.id))?.trials).toHaveLength(2);
				await worker.close(5000);
				works.splice(0);
				expect((await queue.sweeps.wish(sweep.id, 'running')).trials).toHaveLength(4);
				const cancelled = await queue.sweeps.wish(sweep.id, 'cancelled');
				expect(cancelled).toMatchObject({ status: 'cancelled', counts: { running: 0, failed: expect.any(Number) } });
				expect(cancelled.finished_at).not.toBeNull();
				expect(await queue.jobs.counts()).toMatchObject({ queued: 0, running: 0 });
				await expect(queue.sweeps.wish(sweep.id, 'running')).rejects.toMatchObject({ code: 'conflict' });
			});

			it('stay where it is removed, which it may be once it has ended', async () => {
				const sweep = await create(sweepOf({ budget: { trials: 2 } }));
				await expect(queue.sweeps.remove(sweep.id)).rejects.toMatchObject({ code: 'conflict' });
				work();
				await ended(sweep.id);
				await queue.sweeps.remove(sweep.id);
				expect(await queue.sweeps.get(sweep.id)).toBeNull();
				expect(await listIds(store, 'swp')).toEqual([]);
				expect(await jobsOf(sweep)).toHaveLength(2);
				await expect(queue.sweeps.remove(sweep.id)).rejects.toMatchObject({ code: 'not_found' });
			});

			it('fail the sweep where none has its metric', async () => {
				work();
				const sweep = await ended((await create(sweepOf({ metric: 'auroc', budget: { trials: 3 } }))).id);
				expect(sweep).toMatchObject({ status: 'failed', best: null, counts: { failed: 3 } });
			});

			it('are no more after its seconds', async () => {
				const sweep = await create(sweepOf({ concurrency: 1, budget: { trials: 12, seconds: 60 } }));
				const record = JSON.parse(String(await store.get(sweepKeys.record(sweep.id))));
				await store.put(sweepKeys.record(sweep.id), JSON.stringify({ ...record, created_at: record.created_at - 61 }));
				queue = await open();
				work();
				expect((await ended(sweep.id)).trials).toHaveLength(1);
			});

			it('are refused before it begins where the values of a trial make none', () => {
				const check =
					(space: object, fields: object = {}) =>
					() =>
						first(sweepOf({ space, ...fields }), queue);
				expect(check({ 'training.lr': { type: 'uniform', low: 0, high: 1 } })).toThrow(
					/trial 0 of the space, \{"training.lr":[\d.]+\}, makes no job: training.lr is not a known field/,
				);
				expect(check({ 'training.epochs': { type: 'int', low: -9, high: -1 } })).toThrow(/training.epochs must be >= 1/);
				expect(check({ 'constructor.prototype': { type: 'choice', values: [1] } })).toThrow(/constructor is not a known field/);
			});
		});
});
