import { type Artifact, isFinal, type JobCurves, type JobEvent, type JobResource, ProblemError } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import type { Store } from '@steelyard/store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { App } from '../app.js';
import { byteRange, matches } from '../jobs/byte-range.js';
import { curvesOf } from '../jobs/curves.js';
import type { JobLookup } from '../jobs/lookup.js';
import { IdParams, ListOf, ref, refusals } from '../schemas/shared.js';

const ArtifactParams = Type.Object({ id: Type.String(), name: Type.String() });
const PAGE = 1000;

const keyOf = ({ id, attempt }: JobResource, { name }: Artifact) => `jobs/${id}/attempts/${attempt}/${name}`;

const download = {
	description: 'The bytes',
	content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
} as never;
const downloads = {
	200: download,
	206: download,
	304: Type.Null({ description: 'The client has these bytes' }),
	...refusals('not_found', 'artifact_not_ready', 'range_not_satisfiable'),
};

export async function artifactRoutes(app: App, { queue, store, job }: { queue: Queue; store: Store; job: JobLookup }): Promise<void> {
	/** The artifact of that name. Throws ProblemError: `artifact_not_ready` while it may still come or where the job ended without it, else `not_found`. */
	function named(record: JobResource, name: string): Artifact {
		const artifact = record.artifacts.find((one) => one.name === name);
		if (artifact !== undefined) return artifact;
		if (isFinal(record.status) && name !== 'model.onnx')
			throw new ProblemError('not_found', `${record.id} has no artifact ${name}`, 'name');
		throw new ProblemError('artifact_not_ready', `${record.id} is ${record.status} and has no ${name}`, 'name');
	}

	/** Answers with an artifact, whole or in part. Its bytes never change, so the hash of them is its tag. */
	async function send(record: JobResource, artifact: Artifact, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
		const tag = `"${artifact.sha256}"`;
		const { range: asked, 'if-range': condition, 'if-none-match': known } = request.headers;
		reply
			.header('etag', tag)
			.header('accept-ranges', 'bytes')
			.header('x-content-type-options', 'nosniff')
			.header('cache-control', 'private, no-cache');
		if (matches(known, tag)) return reply.code(304).send();
		const range = condition === undefined || condition === tag ? byteRange(asked, artifact.bytes) : null;
		if (range === 'unsatisfiable') {
			reply.header('content-range', `bytes */${artifact.bytes}`);
			throw new ProblemError('range_not_satisfiable', `${artifact.name} has ${artifact.bytes} bytes`, 'range');
		}
		reply.type(artifact.content_type).header('content-disposition', `attachment; filename="${artifact.name.replace(/[^\w.-]/g, '_')}"`);
		reply.header('content-length', range === null ? artifact.bytes : range.end - range.start + 1);
		if (range !== null) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${artifact.bytes}`);
		if (request.method === 'HEAD') return reply.send();
		return reply.send(await store.read(keyOf(record, artifact), range ?? {}));
	}

	/** Every event of a job that is kept. */
	async function eventsOf(id: string): Promise<JobEvent[]> {
		const all: JobEvent[] = [];
		for (;;) {
			const after = all.at(-1)?.id;
			const page = await queue.events.read(id, { ...(after === undefined ? {} : { after }), limit: PAGE });
			all.push(...page);
			if (page.length < PAGE) return all;
		}
	}

	app.route({
		method: 'GET',
		url: '/v1/jobs/:id/metrics',
		schema: {
			summary: 'The curves of a job',
			tags: ['jobs'],
			params: IdParams,
			response: { 200: ref('JobCurves'), ...refusals('not_found') },
		},
		handler: async (request) => {
			const record = await job(request.params.id);
			const artifact = record.artifacts.find(({ name }) => name === 'metrics.json');
			const bytes = artifact === undefined ? null : await store.get(keyOf(record, artifact));
			const curves = bytes === null ? curvesOf(await eventsOf(record.id)) : (JSON.parse(bytes.toString()) as JobCurves);
			return curves as never;
		},
	});
	app.route({
		method: 'GET',
		url: '/v1/jobs/:id/artifacts',
		schema: {
			summary: 'What a job has produced',
			tags: ['jobs'],
			params: IdParams,
			response: { 200: ListOf(ref('Artifact'), 'All of them'), ...refusals('not_found') },
		},
		handler: async (request) => ({ object: 'list', data: (await job(request.params.id)).artifacts, has_more: false }) as never,
	});
	app.route({
		method: ['GET', 'HEAD'],
		url: '/v1/jobs/:id/artifacts/:name',
		schema: { summary: 'Download an artifact', tags: ['jobs'], params: ArtifactParams, response: downloads },
		handler: async (request, reply) => {
			const record = await job(request.params.id);
			return send(record, named(record, request.params.name), request, reply) as never;
		},
	});
	app.route({
		method: ['GET', 'HEAD'],
		url: '/v1/jobs/:id/model',
		schema: { summary: 'Download the trained ONNX model', tags: ['jobs'], params: IdParams, response: downloads },
		handler: async (request, reply) => {
			const record = await job(request.params.id);
			return send(record, named(record, 'model.onnx'), request, reply) as never;
		},
	});
}
