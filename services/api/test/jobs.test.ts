import { type Abilities, DEFAULT_PROJECT, JobResource, parse, parseJobSpec, type TaskType } from '@steelyard/contracts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { jobsInEveryState } from './job-states.js';
import { addDataset, addJob, expectProblem, openService, type Service, worker } from './service.js';

let service: Service;
let datasets: Record<TaskType, string>;
beforeAll(async () => {
	service = await openService();
	datasets = {
		binary: await addDataset(service.app, 'binary'),
		multiclass: await addDataset(service.app, 'multiclass'),
		multilabel: await addDataset(service.app, 'multilabel'),
		regression: await addDataset(service.app, 'regression'),
	};
});
afterAll(() => service.close());

const post = (payload: object | string, headers: Record<string, string> = {}) =>
	service.app.inject({ method: 'POST', url: '/v1/jobs', payload, headers: { 'content-type': 'application/json', ...headers } });

describe('a posted job', () => {
	it('is queued with every default of its spec filled in, and read back', async () => {
		const spec = { dataset: datasets.binary, modalities: ['labs'], weighting: { preset: 'btw' }, metadata: { who: 'ward 3' } };
		const response = await post(spec, { 'x-request-id': 'req-1' });
		expect(response.statusCode, response.body).toBe(202);
		const job = parse(JobResource, response.json());
		expect(job).toMatchObject({
			object: 'job',
			status: 'queued',
			attempt: 0,
			progress: 0,
			request_id: 'req-1',
			result: null,
			error: null,
			spec: parseJobSpec(spec),
		});
		expect(response.headers.location).toBe(`/v1/jobs/${job.id}`);
		expect((await service.app.inject(`/v1/jobs/${job.id}`)).json()).toEqual(job);
	});

	it.each<[object | string, number, string, string | null]>([
		[{}, 400, 'invalid_request', 'dataset'],
		['[]', 400, 'invalid_request', null],
		['null', 400, 'invalid_request', 'dataset'],
		['"spec"', 400, 'invalid_request', null],
		[{ dataset: 3 }, 400, 'invalid_request', 'dataset'],
		[{ dataset: '../x' }, 400, 'invalid_request', 'dataset'],
		[{ dataset: 'ds_0', epochs: 3 }, 400, 'invalid_request', 'epochs'],
		[{ dataset: 'ds_0', training: { epochs: '3' } }, 400, 'invalid_request', 'training.epochs'],
		[{ dataset: 'ds_0', training: { epochs: 0 } }, 400, 'invalid_request', 'training.epochs'],
		[{ dataset: 'ds_0', training: { epochs: 1.5 } }, 400, 'invalid_request', 'training.epochs'],
		[{ dataset: 'ds_0', training: { optimizer: { name: 'lion' } } }, 400, 'invalid_request', 'training.optimizer.name'],
		[{ dataset: 'ds_0', training: { clip_norm: false } }, 400, 'invalid_request', 'training.clip_norm'],
		[
			{ dataset: 'ds_0', training: { early_stopping: { patience: 0, metric: 'loss' } } },
			400,
			'invalid_request',
			'training.early_stopping.patience',
		],
		[{ dataset: 'ds_0', training: null }, 400, 'invalid_request', 'training'],
		[{ dataset: 'ds_0', model: { family: 'resnet' } }, 400, 'invalid_request', 'model.family'],
		[{ dataset: 'ds_0', model: { hidden: 1e9 } }, 400, 'invalid_request', 'model.hidden'],
		[{ dataset: 'ds_0', weighting: { preset: 'magic' } }, 400, 'invalid_request', 'weighting.preset'],
		[{ dataset: 'ds_0', device: 'tpu' }, 400, 'invalid_request', 'device'],
		[{ dataset: 'ds_0', requires: { labels: ['a,b'] } }, 400, 'invalid_request', 'requires.labels.0'],
		[{ dataset: 'ds_0', modalities: [] }, 400, 'invalid_request', 'modalities'],
		[{ dataset: 'ds_0', metadata: { a: 1 } }, 400, 'invalid_request', 'metadata.a'],
		[{ dataset: 'ds_0' }, 422, 'dataset_not_found', 'dataset'],
	])('%j is refused', async (payload, status, code, param) => {
		expectProblem(await post(payload), status, code, param);
	});

	it('that names a modality twice is refused, by the second place', async () => {
		expectProblem(await post({ dataset: datasets.binary, modalities: ['labs', 'labs'] }), 400, 'invalid_request', 'modalities.1');
	});

	it('for a modality that the dataset lacks is refused, by its place, with those that it has', async () => {
		const problem = expectProblem(
			await post({ dataset: datasets.binary, modalities: ['labs', 'audio'] }),
			422,
			'modality_not_found',
			'modalities.1',
		);
		expect(problem.detail).toMatch(/audio.*labs, text/);
		expectProblem(await post({ dataset: datasets.binary, modalities: ['constructor'] }), 422, 'modality_not_found', 'modalities.0');
	});

	it.each<[TaskType, object, string]>([
		['multilabel', { training: { loss: 'mae' } }, 'training.loss'],
		['multilabel', { training: { early_stopping: { metric: 'pearson', patience: 2 } } }, 'training.early_stopping.metric'],
		['multiclass', { training: { early_stopping: { metric: 'micro_f1', patience: 2 } } }, 'training.early_stopping.metric'],
		['binary', { training: { early_stopping: { metric: 'subset_accuracy', patience: 2 } } }, 'training.early_stopping.metric'],
		['regression', { training: { loss: 'cross_entropy' } }, 'training.loss'],
		['regression', { weighting: { preset: 'btw', mutual_information: 'argmax' } }, 'weighting.mutual_information'],
		['binary', { training: { loss: 'mse' } }, 'training.loss'],
		['multiclass', { training: { loss: 'mae' } }, 'training.loss'],
		...(['accuracy', 'macro_f1', 'auroc', 'auprc'] as const).map((metric): [TaskType, object, string] => [
			'regression',
			{ training: { early_stopping: { metric, patience: 2 } } },
			'training.early_stopping.metric',
		]),
		...(['mae', 'rmse', 'pearson'] as const).map((metric): [TaskType, object, string] => [
			'binary',
			{ training: { early_stopping: { metric, patience: 2 } } },
			'training.early_stopping.metric',
		]),
	])('on a %s dataset is refused for %j', async (task, spec, param) => {
		expectProblem(await post({ dataset: datasets[task], ...spec }), 422, 'unsupported_task', param);
	});

	it.each<[TaskType, object]>([
		['binary', { loss: 'cross_entropy', early_stopping: { metric: 'auroc', patience: 2 } }],
		['multiclass', { loss: 'auto', early_stopping: { metric: 'macro_f1', patience: 2 } }],
		['multilabel', { loss: 'cross_entropy', early_stopping: { metric: 'subset_accuracy', patience: 2 } }],
		['multilabel', { early_stopping: { metric: 'micro_f1', patience: 2 } }],
		['multilabel', { early_stopping: { metric: 'auroc', patience: 2 } }],
		['regression', { loss: 'mae', early_stopping: { metric: 'pearson', patience: 2 } }],
		['regression', { early_stopping: null }],
	])('on a %s dataset is taken with %j', async (task, training) => {
		await addJob(service.app, datasets[task], { training });
	});

	it('that would end before its weights are refreshed is refused', async () => {
		const spec = { dataset: datasets.binary, weighting: { preset: 'btw', refresh_epochs: 5 }, training: { epochs: 5 } };
		expect(expectProblem(await post(spec), 400, 'invalid_request', 'weighting.refresh_epochs').detail).toContain('training.epochs (5)');
		await addJob(service.app, datasets.binary, { ...spec, training: { epochs: 6 } });
		await addJob(service.app, datasets.binary, { ...spec, weighting: { preset: 'uniform' } });
	});

	it('gives the same job for the same idempotency key and body, and refuses another body under it', async () => {
		const headers = { 'idempotency-key': 'retry 1' };
		const first = await post({ dataset: datasets.binary, training: { epochs: 3, seed: 2 } }, headers);
		const again = await post({ training: { seed: 2, epochs: 3 }, dataset: datasets.binary, device: 'auto' }, headers);
		expect([first.statusCode, again.statusCode]).toEqual([202, 202]);
		expect(again.json().id).toBe(first.json().id);
		expectProblem(await post({ dataset: datasets.binary, training: { epochs: 4 } }, headers), 409, 'idempotency_mismatch');
		expect((await post({ dataset: datasets.binary }, { 'idempotency-key': 'retry 2' })).json().id).not.toBe(first.json().id);
		expectProblem(
			await post({ dataset: datasets.binary }, { 'idempotency-key': 'k'.repeat(256) }),
			400,
			'invalid_request',
			'idempotency-key',
		);
	});

	it('gives the job of a key also once its dataset was deleted', async () => {
		const dataset = await addDataset(service.app, 'binary');
		const headers = { 'idempotency-key': 'deleted since' };
		const { id } = (await post({ dataset }, headers)).json();
		await service.app.inject({ method: 'POST', url: `/v1/jobs/${id}/cancel` });
		expect((await service.app.inject({ method: 'DELETE', url: `/v1/datasets/${dataset}` })).statusCode).toBe(204);
		const again = await post({ dataset }, headers);
		expect([again.statusCode, again.json().id, again.json().status]).toEqual([202, id, 'cancelled']);
	});

	it('makes one job of posts under one key at the same moment', async () => {
		const answers = await Promise.all(
			Array.from({ length: 8 }, () => post({ dataset: datasets.binary }, { 'idempotency-key': 'at once' })),
		);
		expect(new Set(answers.map((answer) => answer.json().id)).size).toBe(1);
	});

	/** Has somebody run jobs who has this, and end. */
	async function hasWorked(abilities: Abilities): Promise<void> {
		const work = service.queue.work({ abilities, process: async () => ({ status: 'stopped' }) });
		await vi.waitFor(async () => expect((await service.queue.workers.abilities()).seen).toContainEqual(abilities));
		await work.close(1000);
	}

	it('for a GPU waits while no worker is known, is refused in the words of all, and is taken once one has it', async () => {
		const devices = ['cuda', 'webgpu'];
		for (const device of devices) await addJob(service.app, datasets.binary, { device });
		await service.queue.workers.announce(worker('one', 'libcudart.so.13: cannot open'));
		await service.queue.workers.announce(worker('two', 'no device'));
		await hasWorked({ devices: [], memory: 0, labels: [] });
		for (const device of devices) {
			const problem = expectProblem(await post({ dataset: datasets.binary, device }), 422, 'device_unavailable', 'device');
			expect(problem.detail).toMatch(/libcudart\.so\.13: cannot open; no device|no device; libcudart\.so\.13: cannot open/);
		}
		await addJob(service.app, datasets.binary, { device: 'auto' });
		await hasWorked({ devices: ['cuda', 'webgpu'], memory: 0, labels: [] });
		for (const device of devices) await addJob(service.app, datasets.binary, { device });
	});

	it('waits, and says why, where a worker of the last day had what it needs, and is refused where none had', async () => {
		await hasWorked({ devices: [], memory: 4, labels: ['site=berlin'] });
		const work = service.queue.work({ process: async () => ({ status: 'stopped' }) });
		await vi.waitFor(async () => expect((await service.queue.workers.abilities()).living).toHaveLength(1));
		try {
			for (const [spec, message, param] of [
				[{ device: 'cuda' }, 'No living worker has cuda; 1 is alive', 'device'],
				[
					{ requires: { labels: ['site=berlin'], memory_bytes: 2 ** 30 } },
					'No living worker has 1 GiB of memory and the label site=berlin; 1 is alive',
					'requires',
				],
			] as const) {
				const made = await addJob(service.app, datasets.binary, spec);
				expect(made).toMatchObject({ status: 'queued', waiting: { code: 'no_worker', message, param } });
				expect((await service.app.inject(`/v1/jobs/${made.id}`)).json().waiting).toEqual(made.waiting);
				const [listed] = (await service.app.inject('/v1/jobs?limit=1')).json().data;
				expect(listed).toMatchObject({ id: made.id, waiting: made.waiting });
			}
			for (const requires of [{ labels: ['site=bonn'] }, { labels: ['site=berlin'], memory_bytes: 5 * 2 ** 30 }]) {
				const problem = expectProblem(await post({ dataset: datasets.binary, requires }), 422, 'no_worker', 'requires');
				expect(problem.detail).toContain(`the label ${requires.labels[0]}; no worker of the last day had it`);
			}
			const sweep = {
				job: { dataset: datasets.binary, requires: { labels: ['site=bonn'] } },
				space: { 'training.optimizer.learning_rate': { type: 'log-uniform', low: 1e-4, high: 1e-1 } },
				budget: { trials: 3 },
				metric: 'loss',
				direction: 'minimise',
			};
			expectProblem(await service.app.inject({ method: 'POST', url: '/v1/sweeps', payload: sweep }), 422, 'no_worker', 'requires');
		} finally {
			await work.close(1000);
		}
	});
});

describe('jobs', () => {
	it('are listed newest first, a page at a time', async () => {
		const jobs = [await addJob(service.app, datasets.binary), await addJob(service.app, datasets.binary)];
		const page = (await service.app.inject('/v1/jobs?limit=1')).json();
		expect(page).toMatchObject({ object: 'list', has_more: true, data: [{ id: jobs[1]?.id }] });
		expect((await service.app.inject(`/v1/jobs?limit=1&after=${jobs[1]?.id}`)).json().data[0].id).toBe(jobs[0]?.id);
		expectProblem(await service.app.inject('/v1/jobs?limit=1000'), 400, 'invalid_request', 'limit');
		expectProblem(await service.app.inject(`/v1/jobs?after=${datasets.binary}`), 400, 'invalid_request', 'after');
	});

	it('that do not exist are not found, under every path', async () => {
		for (const id of ['job_none', 'ds_1', '..', 'job_%00']) {
			for (const path of ['', '/events', '/metrics', '/artifacts', '/artifacts/model.onnx', '/model']) {
				expectProblem(await service.app.inject(`/v1/jobs/${id}${path}`), 404, 'not_found');
			}
			for (const what of ['cancel', 'pause', 'resume'])
				expectProblem(await service.app.inject({ method: 'POST', url: `/v1/jobs/${id}/${what}` }), 404, 'not_found');
		}
	});

	it('are cancelled at once while queued, and not twice', async () => {
		const { id } = await addJob(service.app, datasets.binary);
		const cancel = () => service.app.inject({ method: 'POST', url: `/v1/jobs/${id}/cancel` });
		expect((await cancel()).json()).toMatchObject({ id, status: 'cancelled' });
		expect(expectProblem(await cancel(), 409, 'job_not_cancellable', 'id').detail).toBe(`${id} is already cancelled`);
		await service.queue.jobs.transition((await addJob(service.app, datasets.binary)).id, ['queued'], 'failed');
		const failed = (await service.app.inject('/v1/jobs?limit=1')).json().data[0].id;
		const refused = await service.app.inject({ method: 'POST', url: `/v1/jobs/${failed}/cancel` });
		expect(expectProblem(refused, 409, 'job_not_cancellable').detail).toBe(`${failed} has already failed`);
	});

	it('are paused and resumed, once and again, until they have ended', async () => {
		const { id } = await addJob(service.app, datasets.binary);
		const post = (what: string) => service.app.inject({ method: 'POST', url: `/v1/jobs/${id}/${what}` });
		for (const [what, status] of [
			['pause', 'paused'],
			['pause', 'paused'],
			['resume', 'queued'],
			['resume', 'queued'],
			['cancel', 'cancelled'],
			['resume', 'queued'],
		])
			expect((await post(what as string)).json()).toMatchObject({ id, status });
		await service.queue.jobs.transition(id, ['queued'], 'failed');
		expect(expectProblem(await post('pause'), 409, 'conflict', 'id').detail).toBe(`${id} has already failed, and cannot be paused`);
		expect(expectProblem(await post('resume'), 409, 'conflict', 'id').detail).toBe(`${id} has already failed, and cannot be resumed`);
	});

	it('that were cancelled are resumed only where their dataset is still there', async () => {
		const dataset = await addDataset(service.app, 'binary');
		const { id } = await addJob(service.app, dataset);
		await service.app.inject({ method: 'POST', url: `/v1/jobs/${id}/cancel` });
		await service.app.inject({ method: 'DELETE', url: `/v1/datasets/${dataset}` });
		const resumed = await service.app.inject({ method: 'POST', url: `/v1/jobs/${id}/resume` });
		expectProblem(resumed, 422, 'dataset_not_found', 'dataset');
	});
});

describe('a project', () => {
	it('has no more jobs that have not ended than it may, posted or resumed', async () => {
		const { queued, running, paused } = await service.queue.jobs.counts(DEFAULT_PROJECT);
		const most = queued + running + paused + 1;
		const app = await service.build({ projectQueued: most });
		const post = (headers = {}) => app.inject({ method: 'POST', url: '/v1/jobs', payload: { dataset: datasets.binary }, headers });
		const act = (id: string, what: string) => app.inject({ method: 'POST', url: `/v1/jobs/${id}/${what}` });
		const keyed = { 'idempotency-key': 'the last of the project' };
		const last = (await post(keyed)).json().id;
		const { detail } = expectProblem(await post(), 403, 'quota_exceeded', null);
		expect(detail).toContain(`The project ${DEFAULT_PROJECT} has ${most} jobs that have not ended, and may have ${most}`);
		expect((await post(keyed)).json().id).toBe(last);
		await act(last, 'pause');
		expectProblem(await post(), 403, 'quota_exceeded');
		await act(last, 'cancel');
		const other = await post();
		expect(other.statusCode, other.body).toBe(202);
		expectProblem(await act(last, 'resume'), 403, 'quota_exceeded');
		expect((await service.queue.jobs.get(last))?.status).toBe('cancelled');
		await act(other.json().id, 'cancel');
		expect((await act(last, 'resume')).json()).toMatchObject({ status: 'queued' });
		await act(last, 'cancel');
	});
});

describe('a job that has ended', () => {
	it('is deleted with its events and artifacts; any other is not', async () => {
		const jobs = await jobsInEveryState(service, datasets.binary, {});
		for (const [state, id] of Object.entries(jobs)) {
			const remove = () => service.app.inject({ method: 'DELETE', url: `/v1/jobs/${id}` });
			if (/^(queued|running|paused)/.test(state)) {
				const { detail } = expectProblem(await remove(), 409, 'job_not_ended', 'id');
				expect(detail).toBe(`${id} is ${state.split(',')[0]}: only a job that has ended can be deleted; cancel it first`);
				continue;
			}
			expect((await remove()).statusCode, state).toBe(204);
			for (const path of ['', '/events', '/metrics', '/artifacts', '/model'])
				expectProblem(await service.app.inject(`/v1/jobs/${id}${path}`), 404, 'not_found');
			expect(await service.store.list(`jobs/${id}`)).toEqual([]);
			expectProblem(await remove(), 404, 'not_found', 'id');
		}
	});
});

describe('a job that would take too much', () => {
	const GIGABYTE = 1e9;
	const postTo = async (job: { memory: number | null; work: number; checkpoints?: number }, spec: object) =>
		(await service.build({ job: { checkpoints: null, ...job } })).inject({
			method: 'POST',
			url: '/v1/jobs',
			payload: { dataset: datasets.binary, ...spec },
		});
	const deep = { model: { hidden: 4096, encoder_layers: 8, head_layers: 8 } };

	it('of memory is refused with what it would take and what it may take', async () => {
		const { detail } = expectProblem(await postTo({ memory: 8 * GIGABYTE, work: 1e18 }, deep), 422, 'job_too_large', 'model');
		expect(detail).toMatch(/^The job would take about 1\d\.\d GB of memory, and may take 8\.0 GB; a smaller model takes less$/);
		expect((await postTo({ memory: 30 * GIGABYTE, work: 1e18 }, deep)).statusCode).toBe(202);
	});

	it('of checkpoints is refused with the bytes that they would take', async () => {
		const limits = { memory: 30 * GIGABYTE, work: 1e18, checkpoints: 2 * GIGABYTE };
		const { detail } = expectProblem(await postTo(limits, deep), 422, 'job_too_large', 'model');
		expect(detail).toMatch(/^The job would keep about \d+\.\d GB of checkpoints, and may keep 2\.0 GB; a smaller model takes less$/);
		expect((await postTo(limits, {})).statusCode).toBe(202);
	});

	it('of work is refused too', async () => {
		const limits = { memory: 30 * GIGABYTE, work: 1e12 };
		const { detail } = expectProblem(
			await postTo(limits, { ...deep, training: { epochs: 100_000 } }),
			422,
			'job_too_large',
			'training.epochs',
		);
		expect(detail).toMatch(/^The job would take about \d\.\de\+1\d multiply-adds, and may take 1\.0e\+12; /);
		expect((await postTo(limits, {})).statusCode).toBe(202);
	});

	it('of the largest worker, in memory or cores, is refused', async () => {
		const limits = { memory: null, work: 1e18 };
		for (const { id } of await service.queue.workers.list()) await service.queue.workers.withdraw(id);
		for (const [id, cores, memory] of [
			['small', 2, GIGABYTE],
			['large', 4, 8 * GIGABYTE],
		] as const)
			await service.queue.workers.announce({ ...worker(id, 'none'), cores, memory_bytes: memory });
		try {
			expect(expectProblem(await postTo(limits, deep), 422, 'job_too_large', 'model').detail).toContain('may take 6.0 GB');
			expect((await postTo(limits, { training: { threads: 4 } })).statusCode).toBe(202);
			const refused = await postTo(limits, { training: { threads: 5 } });
			expect(expectProblem(refused, 400, 'invalid_request', 'training.threads').detail).toBe(
				'training.threads must be at most 4, the cores that the largest worker has, found 5',
			);
		} finally {
			for (const id of ['small', 'large']) await service.queue.workers.withdraw(id);
		}
	});
});
