import type { Artifact, JobCurves, JobEventBody, JobResult } from '@steelyard/contracts';
import { expect } from 'vitest';
import { addJob, type Service } from './service.js';

const validation = { loss: 0.4, accuracy: 0.75, auroc: null };
const point: JobCurves['epochs'][number] = {
	stage: 'fusion',
	model: 'fusion',
	epoch: 0,
	train_loss: 0.5,
	validation,
	learning_rate: 0.1,
	best: true,
};
export const curves: JobCurves = {
	object: 'metrics',
	epochs: [{ ...point, stage: 'unimodal', model: 'labs' }, point],
	weights: [
		{ epoch: 0, modality_weights: { labs: 0.7, text: 1.3 }, mutual_information: { labs: 0.1, text: 0.2 }, smoothing: 1, seconds: 0.1 },
	],
};

/** One event of each type that a trainer reports, and more of those that the curves are made of. */
const happened: JobEventBody[] = [
	{ type: 'stage', stage: 'preparing' },
	{ type: 'device', provider: 'cpu', note: 'no such library' },
	{
		type: 'progress',
		stage: 'fusion',
		model: 'fusion',
		progress: 0.5,
		epoch: 0,
		epochs: 2,
		step: 3,
		steps: 6,
		loss: 0.6,
		rows_per_second: 1234.5,
		eta_seconds: 1,
	},
	...curves.epochs.map((epoch): JobEventBody => ({ type: 'epoch', ...epoch })),
	...curves.weights.map((weights): JobEventBody => ({ type: 'weights', ...weights })),
	{ type: 'waiting', reason: { code: 'insufficient_storage', message: 'no room', param: null } },
	{ type: 'waiting', reason: null },
	{ type: 'warning', code: 'evaluation_failed', message: 'row 3 of the split test', advice: 'mend it', split: 'test', row: 3 },
];

export const result: JobResult = {
	metrics: { train: validation, validation },
	intervals: { validation: { loss: { low: 0.3, high: 0.6 }, accuracy: null } },
	warnings: [{ code: 'evaluation_failed', message: 'row 3 of the split test', advice: 'mend it', split: 'test', row: 3 }],
	unimodal: { labs: { test: validation } },
	modality_weights: { labs: { mean: 0.6, p10: 0.5, p90: 0.7, mutual_information: null } },
	expert_use: { 'layer0.router': [0.25, 0.75] },
	robustness: {
		split: 'validation',
		metric: 'accuracy',
		rows: 10,
		clean: 0.9,
		modalities: { labs: { missing: null, shuffled: { mean: 0.2, low: 0.1, high: 0.3 }, noisy: [0, 0.1, null] } },
	},
	best_epoch: 0,
	epochs: 1,
	parameters: 10,
	seconds: 1.5,
	device: 'cpu',
	device_note: 'no such library',
};

/** A job in each state, by a name for the state: the id of the job. What a worker does to a job is done here without one. */
export async function jobsInEveryState({ app, queue, store }: Service, dataset: string, spec: object): Promise<Record<string, string>> {
	const queued = async () => (await addJob(app, dataset, spec)).id;
	const running = async () => {
		const id = await queued();
		expect(await queue.claim(id)).toMatchObject({ status: 'running', attempt: 1 });
		for (const event of happened) expect(await queue.events.append(id, event)).not.toBeNull();
		await store.put(`jobs/${id}/logs/1.jsonl`, '{"at":1,"level":"info","source":"worker","message":"attempt 1 begins"}\n');
		await queue.jobs.update(id, {
			stage: 'fusion',
			epoch: 0,
			step: 3,
			eta_seconds: 1,
			metrics: validation,
			measured: { peak_memory_bytes: 1e9, step_seconds: 0.1, refresh_seconds: 2, checkpoint_seconds: 0.5, checkpoint_bytes: 1000 },
			modality_weights: { labs: 0.7 },
		});
		return id;
	};
	const succeeded = async () => {
		const id = await running();
		const files = { 'model.onnx': 'a model', 'metrics.json': JSON.stringify(curves), 'report.md': '# Model card' };
		const types: Readonly<Record<string, string>> = { json: 'application/json', md: 'text/markdown; charset=utf-8' };
		const artifacts: Artifact[] = [];
		for (const [name, text] of Object.entries(files)) {
			const { sha256 } = await store.put(`jobs/${id}/attempts/1/${name}`, text);
			artifacts.push({
				name,
				bytes: text.length,
				sha256,
				content_type: types[name.split('.').at(-1) as string] ?? 'application/octet-stream',
			});
		}
		await queue.commit(id, 1, { result, artifacts });
		return id;
	};
	const failed = async () => {
		const id = await running();
		const error = { code: 'diverged', message: 'the loss is NaN', param: 'training.optimizer.learning_rate' };
		await queue.jobs.transition(id, ['running'], 'failed', { error });
		return id;
	};
	const cancelledBefore = async () => (await queue.jobs.requestCancel(await queued())).id;
	const asked = async () => (await queue.jobs.requestCancel(await running())).id;
	const askedToPause = async () => (await queue.jobs.requestPause(await running())).id;
	const paused = async () => {
		const id = await askedToPause();
		await queue.release(id, 1);
		return id;
	};
	const cancelledAfter = async () => {
		const id = await asked();
		await queue.jobs.transition(id, ['running'], 'cancelled');
		return id;
	};
	return {
		queued: await queued(),
		running: await running(),
		'running, asked to stop': await asked(),
		'running, asked to pause': await askedToPause(),
		paused: await paused(),
		succeeded: await succeeded(),
		failed: await failed(),
		'cancelled while queued': await cancelledBefore(),
		'cancelled while running': await cancelledAfter(),
	};
}
