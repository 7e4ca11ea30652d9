import type { FoundList, JobResource, SweepResource } from '@steelyard/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { result } from './job-states.js';
import { addDataset, expectProblem, openService, type Service } from './service.js';

const RATE = 'training.optimizer.learning_rate';
const space = { [RATE]: { type: 'log-uniform', low: 1e-4, high: 1e-1 } };

let service: Service;
let dataset: string;
beforeAll(async () => {
	service = await openService();
	dataset = await addDataset(service.app);
});
afterAll(() => service.close());

const post = (fields: object = {}, job: object = {}) =>
	service.app.inject({
		method: 'POST',
		url: '/v1/sweeps',
		payload: { job: { dataset, training: { epochs: 9 }, ...job }, space, budget: { trials: 3 }, ...fields },
	});
const accepted = async (...of: Parameters<typeof post>): Promise<SweepResource> => {
	const response = await post(...of);
	expect(response.statusCode, response.body).toBe(202);
	const sweep: SweepResource = response.json();
	expect(response.headers['location']).toBe(`/v1/sweeps/${sweep.id}`);
	return sweep;
};
const get = async (id: string): Promise<SweepResource> => (await service.app.inject(`/v1/sweeps/${id}`)).json();
const act = (id: string, verb: string) => service.app.inject({ method: 'POST', url: `/v1/sweeps/${id}/${verb}` });

describe('a sweep', () => {
	it('is kept with its defaults, but with its job as it was posted, and has the jobs of its first trials queued', async () => {
		const sweep = await accepted({ name: 'Rates', concurrency: 2 });
		expect(sweep).toMatchObject({
			...{ object: 'sweep', project: 'default', status: 'running', finished_at: null, best: null, importance: null },
			counts: { running: 2, completed: 0, pruned: 0, failed: 0 },
		});
		expect(sweep.spec).toEqual({
			...{ name: 'Rates', job: { dataset, training: { epochs: 9 } }, metric: 'loss', direction: 'minimise', space },
			...{ search: { type: 'tpe', startup: 10, candidates: 24 }, pruning: { type: 'none' } },
			...{ budget: { trials: 3 }, seeds: 1, concurrency: 2, seed: 1 },
		});
		for (const { job, assignment, trial } of sweep.trials) {
			const made: JobResource = (await service.app.inject(`/v1/jobs/${job}`)).json();
			expect(made).toMatchObject({ status: 'queued', project: 'default', sweep: { id: sweep.id, trial } });
			expect(made.spec).toMatchObject({
				name: `Rates, trial ${trial}`,
				training: { epochs: 9, optimizer: { learning_rate: assignment[RATE] } },
			});
		}
		expect(await get(sweep.id)).toEqual(sweep);
		await act(sweep.id, 'cancel');
	});

	it('is in lists without its trials, newest first, and can be deleted once it has ended, which its jobs outlive', async () => {
		const first = await accepted();
		const second = await accepted();
		const list: FoundList<SweepResource> = (await service.app.inject('/v1/sweeps?limit=2')).json();
		expect(list.data.map(({ id }) => id)).toEqual([second.id, first.id]);
		expect(list.data[0]).toEqual({ ...second, trials: [] });
		expectProblem(await service.app.inject({ method: 'DELETE', url: `/v1/sweeps/${first.id}` }), 409, 'conflict', 'id');
		expect((await act(second.id, 'cancel')).json()).toMatchObject({ status: 'cancelled', counts: { failed: 3 } });
		expect((await service.app.inject({ method: 'DELETE', url: `/v1/sweeps/${second.id}` })).statusCode).toBe(204);
		expectProblem(await service.app.inject(`/v1/sweeps/${second.id}`), 404, 'not_found', 'id');
		expect((await service.app.inject(`/v1/jobs/${second.trials[0]?.job}`)).json()).toMatchObject({ status: 'cancelled' });
		await act(first.id, 'cancel');
	});

	it('is paused, resumed and cancelled, and says where that cannot be', async () => {
		const { id } = await accepted({ concurrency: 1 });
		expect((await act(id, 'pause')).json()).toMatchObject({ status: 'paused' });
		expect((await act(id, 'resume')).json()).toMatchObject({ status: 'running' });
		expect((await act(id, 'cancel')).json()).toMatchObject({ status: 'cancelled', finished_at: expect.any(Number) });
		for (const verb of ['pause', 'resume', 'cancel']) expectProblem(await act(id, verb), 409, 'conflict', 'id');
	});

	it('goes on as its jobs end, and shows the best', async () => {
		const sweep = await accepted({ direction: 'maximise', metric: 'accuracy', concurrency: 1 });
		const work = service.queue.work({
			process: async (_, { job: { spec } }) => ({
				...{ status: 'succeeded', artifacts: [] },
				result: { ...result, metrics: { validation: { accuracy: spec.training.optimizer.learning_rate } } },
			}),
		});
		await expect.poll(async () => (await get(sweep.id)).status).toBe('succeeded');
		await work.close(5000);
		const { best, trials, counts } = await get(sweep.id);
		expect(counts).toEqual({ completed: 3, pruned: 0, running: 0, failed: 0 });
		expect(best).toMatchObject({ assignment: { [RATE]: best?.mean }, jobs: [trials[0]?.job], low: null, high: null });
		expect(trials.map(({ value }) => value)).toEqual(trials.map(({ value }) => value as number).toSorted((a, b) => b - a));
	});

	it.each([
		['a field that it does not have', { trials: 3 }, {}, 'trials', /trials is not a known field/],
		['no budget', { budget: undefined }, {}, 'budget', /budget is required/],
		['a job that is none', {}, { training: { epochs: 0 } }, 'job.training.epochs', /job: training.epochs must be >= 1/],
		[
			'a job with a field of another family',
			{},
			{ model: { family: 'mlp-fusion', experts: 3 } },
			'job.model.experts',
			/means nothing to mlp-fusion/,
		],
		['a range whose ends are the wrong way', { space: { [RATE]: { type: 'uniform', low: 2, high: 1 } } }, {}, undefined, /low/],
		[
			'a field that jobs do not have',
			{ space: { 'training.lr': { type: 'uniform', low: 0, high: 1 } } },
			{},
			'space',
			/training.lr is not a known field/,
		],
		[
			'seeds that a dimension sets',
			{ seeds: 2, space: { 'training.seed': { type: 'int', low: 1, high: 9 } } },
			{},
			'space.training.seed',
			/beside seeds/,
		],
		['rungs beyond its epochs', { pruning: { type: 'asha', minimum: 9 } }, {}, 'pruning.minimum', /less than the epochs/],
	])('with %s is refused', async (_, fields, job, param, words) => {
		const { detail } = expectProblem(await post(fields, job), 400, 'invalid_request', param);
		expect(detail).toMatch(words);
	});

	it('on a dataset that is not there is refused as its jobs would be, and one that is not there is not found', async () => {
		expectProblem(await post({}, { dataset: 'ds_0' }), 422, 'dataset_not_found', 'dataset');
		expectProblem(await act('swp_0', 'pause'), 404, 'not_found', 'id');
		expectProblem(await service.app.inject('/v1/sweeps/job_0'), 404, 'not_found', 'id');
	});
});
