import {
	type JobChange,
	type JobRequest,
	type JobResource,
	type KeyRequest,
	listedDataset,
	listedJob,
	type ModelResource,
	type PredictionRequest,
	type SweepRequest,
	type SweepResource,
	type UploadChange,
	type WebhookResource,
} from '@steelyard/contracts';
import {
	caller,
	curves,
	dataset,
	diagnostics,
	events,
	job,
	key,
	lines,
	log,
	model,
	predictions,
	preview,
	readiness,
	retention,
	sweep,
	usage,
} from './recorded.js';

/** Values by media type, and each by what it shows. */
type Values = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
/** What an operation is sent, and what it answers when all goes well. */
export type Examples = { body?: Values; answer?: Values };

const json = (value: unknown, name = 'example'): Values => ({ 'application/json': { [name]: value } });
const page = (...data: unknown[]) => ({ object: 'list', data, has_more: false });
const found = (...data: unknown[]) => ({ ...page(...data), next: null });

/** The model as it was when it had just been uploaded. */
const inspecting: ModelResource = { ...model, metadata: {}, status: 'inspecting', report: null };

/** The job as it was when it had just been posted. */
const { measured: _measured, rows_per_second: _speed, pause_requested: _pause, ...whole } = job;
const queued: JobResource = {
	...whole,
	...{ status: 'queued', progress: 0, epoch: null, step: null, started_at: null, finished_at: null, attempt: 0, device: null },
	...{ metrics: null, modality_weights: null, result: null, artifacts: [] },
	spec: { ...job.spec, metadata: {} },
};

const onTable: JobRequest = { dataset: dataset.id, weighting: { preset: 'consensus' }, training: { epochs: 3 }, name: 'Ward 3' };
const onGraph: JobRequest = { dataset: dataset.id, model: { family: 'custom', model: model.id, inputs: { x: 'numbers' }, output: 'y' } };
const newKey: KeyRequest = { name: key.name, scope: key.scope, project: 'ward-3', expires_in_days: 90 };
const rows: PredictionRequest = { rows: [{ age: 87, note: 'Comes with a sore throat, lives with family' }] };
const { token: _token, ...madeKey } = key;
const change: UploadChange & JobChange = { name: 'Ward 3', metadata: { study: 'winter', draft: null } };
const table =
	'age,note,readmitted\n87,"Comes with pain in the knee, lives alone",no\n75,"Comes with swollen legs, lives with family",yes\n';
const stream = events.map((event) => `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');

const changes = [{ type: 'reset' }, { type: 'changed', job: listedJob(job) }, { type: 'deleted', id: job.id }]
	.map((one, i) => `id: 19a3f0c2b7d84e51-${i + 1}\ndata: ${JSON.stringify(one)}\n\n`)
	.join('');

const webhook: WebhookResource = {
	...{ object: 'webhook', project: 'ward-3', url: 'https://example.com/hook', on: ['succeeded', 'failed'], created_at: job.created_at },
};

const { name: _name, job: ofSweep, space, budget, ...search } = sweep.spec;
const newSweep: SweepRequest = {
	name: 'Learning rates',
	job: ofSweep,
	space,
	budget,
	metric: search.metric,
	direction: search.direction,
	pruning: { type: 'asha' },
};
/** The sweep before a trial had ended. */
const begun: SweepResource = {
	...sweep,
	...{ status: 'running', finished_at: null, counts: { completed: 0, pruned: 0, running: 1, failed: 0 }, best: null },
	trials: sweep.trials.slice(0, 1).map((trial) => ({ ...trial, state: 'running', epochs: 0, value: null })),
};

/** Examples by the operationId of their route. Uploads of bytes and downloads of them have none. */
export const examples: Readonly<Record<string, Examples>> = {
	listDatasets: { answer: json(found(listedDataset(dataset))) },
	getDataset: { answer: json(dataset) },
	createDataset: { body: { 'text/csv': { table } }, answer: json({ ...dataset, metadata: {} }) },
	listDatasetRows: {
		answer: json({
			...{ object: 'list', split: 'test', total: 160, kept: 160, left_out: [], has_more: true },
			data: [{ row: 0, values: { age: 87, note: 'Comes with a sore throat, lives with family' }, label: 'no' }],
		}),
	},
	updateDataset: { body: json(change), answer: json(dataset) },
	previewTable: { body: { 'text/csv': { table } }, answer: json(preview) },
	listModels: { answer: json(found({ ...model, report: null })) },
	getModel: { answer: json(model) },
	createModel: { answer: json(inspecting) },
	updateModel: { body: json(change), answer: json(model) },
	listJobs: { answer: json(found(listedJob(job))) },
	getJob: { answer: json(job) },
	createJob: {
		body: { 'application/json': { 'a built-in family': onTable, 'a graph of your own': onGraph, 'the least': { dataset: dataset.id } } },
		answer: json(queued),
	},
	updateJob: { body: json(change), answer: json(job) },
	cancelJob: { answer: json({ ...queued, status: 'cancelled', cancel_requested: true }) },
	pauseJob: { answer: json({ ...queued, status: 'paused', pause_requested: true }) },
	resumeJob: { answer: json(queued) },
	createSweep: {
		body: {
			'application/json': {
				'asha over learning rates': newSweep,
				'the least': {
					job: { dataset: dataset.id },
					space: { [Object.keys(space)[0] as string]: Object.values(space)[0] },
					budget: { trials: 8 },
				},
			},
		},
		answer: json(begun),
	},
	listSweeps: { answer: json(found({ ...sweep, trials: [] })) },
	getSweep: { answer: json(sweep) },
	pauseSweep: { answer: json({ ...begun, status: 'paused' }) },
	resumeSweep: { answer: json(begun) },
	cancelSweep: { answer: json(begun) },
	listJobEvents: {
		answer: { ...json(page(...events)), 'text/event-stream': { stream } },
	},
	watchJobs: { answer: { 'text/event-stream': { stream: changes } } },
	getJobLogs: { answer: json(page(...log)) },
	getJobMetrics: { answer: json(curves) },
	listArtifacts: { answer: json(page(...job.artifacts)) },
	downloadArtifact: { answer: { 'application/json': { 'metrics.json': curves, 'diagnostics.json': diagnostics } } },
	predictRows: {
		body: { ...json(rows), 'text/csv': { table: 'age,note\n87,"Comes with a sore throat, lives with family"\n' } },
		answer: json(predictions),
	},
	setWebhook: {
		body: json({ url: webhook.url, on: webhook.on }),
		answer: json({ ...webhook, secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD' }),
	},
	getWebhook: { answer: json(webhook) },
	createKey: { body: json(newKey), answer: json(key) },
	listKeys: { answer: json(found(madeKey)) },
	getCaller: { answer: json(caller) },
	listAuditLines: { answer: json({ ...page(...lines), has_more: true }) },
	getHealth: { answer: json({ ok: true }) },
	getReadiness: { answer: json(readiness) },
	getUsage: { answer: json(usage) },
	applyRetention: { answer: json(retention) },
};
