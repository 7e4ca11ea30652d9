import { FoundListOf, listQuery, ProblemError, parseSweepSpec, type SweepResource, SweepSpec } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import type { Store } from '@steelyard/store';
import { Type } from 'typebox';
import type { Datasets } from '../datasets/datasets.js';
import type { App } from '../fastify-app.js';
import { checkJob, type JobBounds, knownWorkers } from '../jobs/admission.js';
import { createLookUp } from '../jobs/named.js';
import { expectQuota } from '../jobs/quota.js';
import { callerOf, type InProject } from '../keys/caller.js';
import type { Models } from '../models/models.js';
import { validatorOf } from '../plugins/validation.js';
import { pageOf } from '../resources/page.js';
import type { Room } from '../resources/room.js';
import { ref } from '../schemas/components.js';
import { IdParams } from '../schemas/id-params.js';
import { refusals } from '../schemas/refusals.js';

type Parts = { queue: Queue; store: Store; datasets: Datasets; models: Models; room: Room; limits: JobBounds; mostQueued: number };

/** Checks the body as a sweep, whose job has unions inside; everything else as all routes do. */
const sweepValidator = (part: Parameters<typeof validatorOf>[0]) =>
	part.httpPart === 'body'
		? (input: unknown) => {
				try {
					return { value: parseSweepSpec(input ?? {}) };
				} catch (error) {
					return { error: error as Error };
				}
			}
		: validatorOf(part);

/** A sweep as lists have it. */
const listed = (sweep: SweepResource): SweepResource => ({ ...sweep, trials: [], importance: null });

/** The routes that post, list and show sweeps, and those that pause, resume, cancel and delete them. */
export async function sweepRoutes(app: App, { queue, store, datasets, models, room, limits, mostQueued }: Parts): Promise<void> {
	const lookUp = createLookUp({ queue, datasets, models });

	async function find({ project }: InProject, id: string): Promise<SweepResource | null> {
		const sweep = await queue.sweeps.get(id);
		return sweep?.project === project ? sweep : null;
	}
	async function expect(caller: InProject, id: string): Promise<SweepResource> {
		const sweep = /^swp_[a-z0-9]{1,40}$/.test(id) ? await find(caller, id) : null;
		if (sweep === null) throw new ProblemError('not_found', `There is no sweep ${id}`, 'id');
		return sweep;
	}

	app.route({
		method: 'POST',
		url: '/v1/sweeps',
		validatorCompiler: sweepValidator,
		schema: {
			operationId: 'createSweep',
			summary: 'Post a sweep: many jobs, of which the best is looked for',
			description:
				'Each trial is an ordinary job. What is tried next follows from the values of earlier trials alone, so that equal sweeps try the same, however many workers there are.',
			tags: ['sweeps'],
			body: SweepSpec,
			response: {
				202: ref('Sweep'),
				...refusals(
					'invalid_request',
					'invalid_json',
					'unsupported_media_type',
					'quota_exceeded',
					'dataset_not_found',
					'modality_not_found',
					'unsupported_task',
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
			const caller = callerOf(request);
			const spec = request.body;
			await room.expect();
			await expectQuota(queue, caller.project, mostQueued);
			const workers = await knownWorkers(queue);
			for (const first of queue.sweeps.check(spec)) checkJob(first, await lookUp(caller, first), workers, limits);
			const sweep = await queue.sweeps.create(caller.project, spec);
			request.log.info({ sweep: sweep.id, project: sweep.project }, 'the sweep is accepted');
			reply.code(202).header('location', `/v1/sweeps/${sweep.id}`);
			return sweep;
		},
	});
	app.route({
		method: 'GET',
		url: '/v1/sweeps',
		schema: {
			operationId: 'listSweeps',
			summary: 'Sweeps, newest first',
			description: 'Without their trials and the importance of dimensions: ask for one sweep to see them.',
			tags: ['sweeps'],
			querystring: listQuery('swp'),
			response: { 200: FoundListOf(ref('Sweep'), { description: 'A page' }), ...refusals('invalid_request') },
		},
		handler: async (request) => {
			const page = await pageOf(store, 'swp', request.query, (id) => find(callerOf(request), id));
			return { ...page, data: page.data.map(listed) };
		},
	});
	app.route({
		method: 'GET',
		url: '/v1/sweeps/:id',
		schema: {
			operationId: 'getSweep',
			summary: 'A sweep with its trials, the best first',
			tags: ['sweeps'],
			params: IdParams,
			response: { 200: ref('Sweep'), ...refusals('not_found') },
		},
		handler: (request) => expect(callerOf(request), request.params.id),
	});
	const wishes = [
		{
			verb: 'pause',
			operationId: 'pauseSweep',
			summary: 'Start no more trials of a sweep',
			status: 'paused',
			description: 'Trials that wait or run go on to their ends.',
		},
		{
			verb: 'resume',
			operationId: 'resumeSweep',
			summary: 'Let a paused sweep go on',
			status: 'running',
			description: 'It tries what it would have tried without the pause.',
		},
		{
			verb: 'cancel',
			operationId: 'cancelSweep',
			summary: 'End a sweep and cancel its jobs',
			status: 'cancelled',
			description: 'Trials that have ended stay as they are. The status is `cancelled` once all jobs have ended.',
		},
	] as const;
	for (const { verb, status, ...about } of wishes)
		app.route({
			method: 'POST',
			url: `/v1/sweeps/:id/${verb}`,
			schema: { ...about, tags: ['sweeps'], params: IdParams, response: { 200: ref('Sweep'), ...refusals('not_found', 'conflict') } },
			handler: async (request) => queue.sweeps.wish((await expect(callerOf(request), request.params.id)).id, status),
		});
	app.route({
		method: 'DELETE',
		url: '/v1/sweeps/:id',
		schema: {
			operationId: 'deleteSweep',
			summary: 'Delete a sweep that has ended',
			description: 'Its jobs stay, with all that they made.',
			tags: ['sweeps'],
			params: IdParams,
			response: { 204: Type.Null({ description: 'Deleted' }), ...refusals('not_found', 'conflict') },
		},
		handler: async (request, reply) => {
			await queue.sweeps.remove((await expect(callerOf(request), request.params.id)).id);
			reply.code(204);
			return null;
		},
	});
}
