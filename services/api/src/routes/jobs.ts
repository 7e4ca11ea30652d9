import { isFinal, type JobResource, JobSpec, ListQuery, ProblemError } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import { createId } from '@steelyard/store';
import { Type } from 'typebox';
import type { App } from '../app.js';
import type { Datasets } from '../datasets/datasets.js';
import { admit, type Named } from '../jobs/admission.js';
import { bodyHash } from '../jobs/body-hash.js';
import type { JobLookup } from '../jobs/lookup.js';
import type { Models } from '../models/models.js';
import { IdParams, ListOf, ref, refusals } from '../schemas/shared.js';

const IdempotencyHeaders = Type.Object({
	'idempotency-key': Type.Optional(
		Type.String({ minLength: 1, maxLength: 255, description: 'the same key with the same body gives the same job' }),
	),
});

const newJob = (spec: JobSpec): JobResource => ({
	id: createId('job'),
	object: 'job',
	status: 'queued',
	stage: null,
	progress: 0,
	epoch: null,
	step: null,
	eta_seconds: null,
	metrics: null,
	modality_weights: null,
	created_at: Math.floor(Date.now() / 1000),
	started_at: null,
	finished_at: null,
	attempt: 0,
	cancel_requested: false,
	device: null,
	spec,
	result: null,
	artifacts: [],
	error: null,
});

type Parts = { queue: Queue; datasets: Datasets; models: Models; job: JobLookup };

export async function jobRoutes(app: App, { queue, datasets, models, job }: Parts): Promise<void> {
	/** Runs an action on what a spec names, during which none of it can be removed. */
	const holding = <T>({ dataset, model }: JobSpec, action: (named: Named) => Promise<T>): Promise<T> =>
		datasets.holding(dataset, async () => {
			const found = await datasets.find(dataset);
			if (found === null) throw new ProblemError('dataset_not_found', `There is no dataset ${dataset}`, 'dataset');
			if (model.family !== 'custom') return action({ dataset: found, model: null });
			return models.holding(model.model, async () => action({ dataset: found, model: await models.find(model.model) }));
		});

	app.route({
		method: 'POST',
		url: '/v1/jobs',
		schema: {
			summary: 'Post a training job',
			tags: ['jobs'],
			headers: IdempotencyHeaders,
			body: JobSpec,
			response: {
				202: ref('Job'),
				...refusals(
					'invalid_request',
					'invalid_json',
					'idempotency_mismatch',
					'dataset_not_found',
					'modality_not_found',
					'unsupported_task',
					'model_not_found',
					'model_not_ready',
					'invalid_model',
					'device_unavailable',
				),
			},
		},
		handler: async (request, reply) => {
			const spec = request.body;
			const idempotencyKey = request.headers['idempotency-key'];
			const created = await holding(spec, async (named) => {
				admit(spec, named, spec.device === 'cuda' ? await queue.workers.list() : []);
				return queue.jobs.create(newJob(spec), idempotencyKey === undefined ? {} : { idempotencyKey, bodyHash: bodyHash(spec) });
			});
			// Also for a repeated post: the first may have ended between these two lines.
			if (created.status === 'queued') await queue.enqueue(created.id);
			return reply
				.code(202)
				.header('location', `/v1/jobs/${created.id}`)
				.send(created as never);
		},
	});
	app.route({
		method: 'GET',
		url: '/v1/jobs',
		schema: { summary: 'Jobs, newest first', tags: ['jobs'], querystring: ListQuery, response: { 200: ListOf(ref('Job'), 'A page') } },
		handler: (request) => queue.jobs.list(request.query) as never,
	});
	app.route({
		method: 'GET',
		url: '/v1/jobs/:id',
		schema: { summary: 'A job', tags: ['jobs'], params: IdParams, response: { 200: ref('Job'), ...refusals('not_found') } },
		handler: (request) => job(request.params.id) as never,
	});
	app.route({
		method: 'POST',
		url: '/v1/jobs/:id/cancel',
		schema: {
			summary: 'Cancel a job',
			description: 'A queued job ends at once. A running one is asked to: `cancel_requested` is true until its status is `cancelled`.',
			tags: ['jobs'],
			params: IdParams,
			response: { 200: ref('Job'), ...refusals('not_found', 'job_not_cancellable') },
		},
		handler: async (request) => {
			const { id, status } = await job(request.params.id);
			if (isFinal(status)) throw new ProblemError('job_not_cancellable', `${id} has already ${status}`, 'id');
			return (await queue.jobs.requestCancel(id)) as never;
		},
	});
}
