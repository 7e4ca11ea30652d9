import {
	FoundListOf,
	JobChange,
	type JobResource,
	JobSpec,
	jobsQuery,
	listedJob,
	ProblemError,
	projectOf,
	sourceProblems,
} from '@steelyard/contracts';
import { newJob, type Queue } from '@steelyard/queue';
import { inSpan } from '@steelyard/service-process';
import { jobKeys, type Store } from '@steelyard/store';
import { Type } from 'typebox';
import type { Datasets } from '../datasets/datasets.js';
import type { App } from '../fastify-app.js';
import { checkJob, type JobBounds, knownWorkers, withReason } from '../jobs/admission.js';
import { bodyHash } from '../jobs/body-hash.js';
import type { JobLookup } from '../jobs/lookup.js';
import { createLookUp } from '../jobs/named.js';
import { expectQuota } from '../jobs/quota.js';
import { callerOf, type InProject } from '../keys/caller.js';
import type { Models } from '../models/models.js';
import { bytesOf } from '../resources/bytes-of.js';
import { unknownCursor } from '../resources/page.js';
import type { Room } from '../resources/room.js';
import { ref } from '../schemas/components.js';
import { IdParams } from '../schemas/id-params.js';
import { refusals } from '../schemas/refusals.js';
import type { Webhooks } from '../webhooks/webhooks.js';

const IdempotencyHeaders = Type.Object({
	'idempotency-key': Type.Optional(
		Type.String({ minLength: 1, maxLength: 255, description: 'the same key with the same body gives the same job' }),
	),
});

/** What the handing over of a job is in a trace. BullMQ carries ids alone, so that the record of the job carries the context. */
const SENDING = {
	'messaging.system': 'bullmq',
	'messaging.operation.name': 'send',
	'messaging.operation.type': 'send',
	'messaging.destination.name': 'training',
};

type Parts = {
	queue: Queue;
	store: Store;
	datasets: Datasets;
	models: Models;
	room: Room;
	job: JobLookup;
	webhooks: Webhooks;
	limits: JobBounds;
	/** The most jobs of a project that have not ended. */
	mostQueued: number;
};

/** The routes that post, list and show jobs, and those that rename, cancel, pause, resume and delete them. */
export async function jobRoutes(
	app: App,
	{ queue, store, datasets, models, room, job, webhooks, limits, mostQueued }: Parts,
): Promise<void> {
	const lookUp = createLookUp({ queue, datasets, models });
	const shown = async (one: JobResource): Promise<JobResource> => (await withReason(queue, [one]))[0] ?? one;

	/** Throws ProblemError where what a spec names was deleted. */
	async function expectNamed(owner: InProject, spec: JobSpec): Promise<void> {
		const { dataset, model, source } = await lookUp(owner, spec);
		if (spec.model.family === 'custom' && model === null)
			throw new ProblemError('model_not_found', `There is no model ${spec.model.model}`, 'model.model');
		for (const problem of sourceProblems(spec, source, dataset)) throw problem;
	}

	/** Checks a spec and whether its project may have one more job, and makes a job use what the spec names. A deletion that began before has not seen the job: where that was quicker, the job is taken back. */
	async function accept(
		{ spec, ...owned }: Pick<JobResource, 'spec' | 'project'>,
		use: () => Promise<JobResource>,
		takeBack: () => Promise<unknown>,
	): Promise<JobResource> {
		const owner = { project: projectOf(owned) };
		if (spec.notify !== undefined && (await webhooks.find(owner.project)) === null)
			throw new ProblemError(
				'invalid_request',
				'The project has no webhook, whose secret would sign the notice: PUT /v1/webhook makes one',
				'notify',
			);
		await expectQuota(queue, owner.project, mostQueued);
		checkJob(spec, await lookUp(owner, spec), await knownWorkers(queue), limits);
		const job = await use();
		await expectNamed(owner, spec).catch(async (error: unknown) => {
			await takeBack();
			throw error;
		});
		return job;
	}

	app.route({
		method: 'POST',
		url: '/v1/jobs',
		schema: {
			operationId: 'createJob',
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
					'quota_exceeded',
					'dataset_not_found',
					'modality_not_found',
					'unsupported_task',
					'unsupported_media_type',
					'model_not_found',
					'job_not_found',
					'job_not_usable',
					'model_not_ready',
					'invalid_model',
					'device_unavailable',
					'no_worker',
					'job_too_large',
					'insufficient_storage',
				),
			},
		},
		handler: async (request, reply) => {
			const spec = request.body;
			const { project } = callerOf(request);
			const idempotencyKey = request.headers['idempotency-key'];
			const repeatable = idempotencyKey === undefined ? undefined : { idempotencyKey, bodyHash: bodyHash(spec) };
			// A repeated post is answered by the job that the first one made, also where that could no longer be posted.
			const first = repeatable === undefined ? null : await queue.jobs.repeated({ project, ...repeatable });
			const create = async (traceparent: string | undefined): Promise<JobResource> => {
				const job = newJob(spec, { project, request_id: request.id, ...(traceparent === undefined ? {} : { traceparent }) });
				await room.expect();
				return accept(
					job,
					() => queue.jobs.create(job, repeatable),
					() => queue.jobs.discard(job.id),
				);
			};
			const sending = first === null ? (request.span?.child('send training', { kind: 'producer', attributes: SENDING }) ?? null) : null;
			const created = await inSpan(sending, async () => {
				const job = first ?? (await create(sending?.traceparent));
				// A repeated post does this too: the process that handled the first may have ended between these two lines.
				if (job.status === 'queued') await queue.enqueue(job.id);
				sending?.set({ 'messaging.message.id': job.id });
				return job;
			});
			request.log.info({ job: created.id, attempt: created.attempt, project: projectOf(created) }, 'the job is accepted');
			reply.code(202).header('location', `/v1/jobs/${created.id}`);
			return shown(created);
		},
	});
	app.route({
		method: 'GET',
		url: '/v1/jobs',
		schema: {
			operationId: 'listJobs',
			summary: 'Jobs that fit, newest first unless sorted otherwise',
			description:
				'Without the metrics of unimodal models, the use of experts and the names of parameters, which may be many: ask for one job to see them.',
			tags: ['jobs'],
			querystring: jobsQuery,
			response: { 200: FoundListOf(ref('Job'), { description: 'A page' }), ...refusals('invalid_request') },
		},
		handler: async (request) => {
			const { project } = callerOf(request);
			const { after } = request.query;
			const last = after === undefined ? null : await queue.jobs.get(after);
			if (after !== undefined && (last === null || projectOf(last) !== project)) throw unknownCursor(after);
			const page = await queue.jobs.list({ project, ...request.query });
			const sized = async (one: JobResource) => ({ ...listedJob(one), bytes: bytesOf(await store.entries(jobKeys.folder(one.id))) });
			return { ...page, data: await Promise.all((await withReason(queue, page.data)).map(sized)) };
		},
	});
	app.route({
		method: 'GET',
		url: '/v1/jobs/:id',
		schema: {
			operationId: 'getJob',
			summary: 'A job',
			tags: ['jobs'],
			params: IdParams,
			response: { 200: ref('Job'), ...refusals('not_found') },
		},
		handler: async (request) => shown(await job(callerOf(request), request.params.id)),
	});
	app.route({
		method: 'PATCH',
		url: '/v1/jobs/:id',
		schema: {
			operationId: 'updateJob',
			summary: 'Change the name and the metadata of a job',
			description:
				'Whatever its status is: neither means anything to the training. Entries of metadata that are not named stay as they are; with null one is removed.',
			tags: ['jobs'],
			params: IdParams,
			body: JobChange,
			response: { 200: ref('Job'), ...refusals('invalid_request', 'not_found', 'insufficient_storage') },
		},
		handler: async (request) => shown(await queue.jobs.annotate((await job(callerOf(request), request.params.id)).id, request.body)),
	});
	app.route({
		method: 'DELETE',
		url: '/v1/jobs/:id',
		schema: {
			operationId: 'deleteJob',
			summary: 'Delete a job that has ended',
			description: 'Deletes its record, its events, its artifacts and its checkpoints, for good.',
			tags: ['jobs'],
			params: IdParams,
			response: { 204: Type.Null({ description: 'Deleted' }), ...refusals('not_found', 'job_not_ended', 'job_in_use') },
		},
		handler: async (request, reply) => {
			await queue.jobs.remove((await job(callerOf(request), request.params.id)).id);
			reply.code(204);
			return null;
		},
	});
	app.route({
		method: 'POST',
		url: '/v1/jobs/:id/cancel',
		schema: {
			operationId: 'cancelJob',
			summary: 'Cancel a job',
			description: 'A queued job ends at once. A running one is asked to: `cancel_requested` is true until its status is `cancelled`.',
			tags: ['jobs'],
			params: IdParams,
			response: { 200: ref('Job'), ...refusals('not_found', 'job_not_cancellable') },
		},
		handler: async (request) => queue.jobs.requestCancel((await job(callerOf(request), request.params.id)).id),
	});
	app.route({
		method: 'POST',
		url: '/v1/jobs/:id/pause',
		schema: {
			operationId: 'pauseJob',
			summary: 'Pause a job',
			description:
				'A queued job is paused at once. A running one is asked to: `pause_requested` is true until its status is `paused`. A job that is paused, or asked to be, stays so.',
			tags: ['jobs'],
			params: IdParams,
			response: { 200: ref('Job'), ...refusals('not_found', 'conflict') },
		},
		handler: async (request) => queue.jobs.requestPause((await job(callerOf(request), request.params.id)).id),
	});
	app.route({
		method: 'POST',
		url: '/v1/jobs/:id/resume',
		schema: {
			operationId: 'resumeJob',
			summary: 'Let a paused or cancelled job go on',
			description:
				'The job is queued again, and goes on from its last checkpoint to the result that it would have had without the break. A job that is queued or runs goes on as it is.',
			tags: ['jobs'],
			params: IdParams,
			response: {
				200: ref('Job'),
				...refusals(
					'not_found',
					'conflict',
					'quota_exceeded',
					'dataset_not_found',
					'model_not_found',
					'job_not_found',
					'job_not_usable',
					'invalid_model',
					'device_unavailable',
					'no_worker',
					'job_too_large',
				),
			},
		},
		handler: async (request) => {
			const cancelled = await job(callerOf(request), request.params.id);
			const { id, status } = cancelled;
			if (status !== 'cancelled') return shown(await queue.jobs.requestResume(id));
			// What it names may have been deleted since, and others may have taken its place.
			const resumed = await accept(
				cancelled,
				() => queue.jobs.requestResume(id),
				() => queue.jobs.requestCancel(id),
			);
			return shown(resumed);
		},
	});
}
