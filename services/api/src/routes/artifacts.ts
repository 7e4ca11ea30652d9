import type { Readable } from 'node:stream';
import { type Artifact, type JobCurves, type JobEvent, type JobResource, ListOf, MODEL_ARTIFACT, ProblemError } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import { jobKeys, type Store } from '@steelyard/store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { App } from '../fastify-app.js';
import { artifactOf } from '../jobs/artifact.js';
import { byteRange, matches } from '../jobs/byte-range.js';
import { curvesOf } from '../jobs/curves.js';
import type { JobLookup } from '../jobs/lookup.js';
import { callerOf } from '../keys/caller.js';
import { ref } from '../schemas/components.js';
import { IdParams, PathPart } from '../schemas/id-params.js';
import { refusals } from '../schemas/refusals.js';

const ArtifactParams = Type.Object({ id: PathPart, name: PathPart });
const DownloadQuery = Type.Object(
	{
		redirect: Type.Optional(
			Type.Boolean({
				description: 'Whether to be sent to where the bytes lie, if that is a bucket, and not to have them by way of the service',
			}),
		),
	},
	{ additionalProperties: false },
);
/** How long the address of an artifact in a bucket holds, in seconds. */
const LEASE = 300;
/** Events that are read at one time. */
const PAGE = 1000;

const keyOf = ({ id, attempt }: JobResource, { name }: Artifact) => jobKeys.artifact(id, attempt, name);

/** The bytes of a download; null answers a request that wants none. */
const Bytes = Type.Unsafe<Readable | null>({ type: 'string', format: 'binary' });

/** What the artifacts that are JSON hold. */
const Json = Type.Unsafe<Readable | null>(
	Type.Union([
		ref('Explanation'),
		ref('Diagnostics'),
		ref('EvaluationFigures'),
		ref('Calibration'),
		ref('JobCurves'),
		ref('Robustness'),
		Type.Object({}, { additionalProperties: true, description: '`report.json`: the version, the spec, the dataset and the result' }),
	]),
);

/** Describes the answers of a download, whose media type is that of the artifact. */
const downloads = <MediaType extends string>(...mediaTypes: MediaType[]) => {
	const contentOf = (json: typeof Bytes) =>
		Object.fromEntries(mediaTypes.map((type) => [type, { schema: type === 'application/json' ? json : Bytes }])) as Record<
			MediaType,
			{ schema: typeof Bytes }
		>;
	const content = contentOf(Bytes);
	return {
		200: { description: 'The bytes', content: contentOf(Json) },
		206: { description: 'The bytes of the range', content },
		304: Type.Null({ description: 'The client has these bytes' }),
		307: Type.Null({ description: `The bytes are in a bucket, at the address in \`Location\`, which holds for ${LEASE / 60} minutes` }),
		...refusals('invalid_request', 'not_found', 'artifact_not_ready', 'range_not_satisfiable'),
	};
};

/** The routes that give out the curves and the artifacts of a job. */
export async function artifactRoutes(app: App, { queue, store, job }: { queue: Queue; store: Store; job: JobLookup }): Promise<void> {
	/** Prepares the answer with an artifact, whole or in part, and gives its body. The bytes never change, so their checksum is the entity tag. */
	async function bodyOf(
		record: JobResource,
		artifact: Artifact,
		request: FastifyRequest<{ Querystring: { redirect?: boolean } }>,
		reply: FastifyReply,
	): Promise<Readable | null> {
		const tag = `"${artifact.sha256}"`;
		const { range: asked, 'if-range': condition, 'if-none-match': known } = request.headers;
		reply
			.header('etag', tag)
			.header('accept-ranges', 'bytes')
			.header('x-content-type-options', 'nosniff')
			.header('cache-control', 'private, no-cache');
		if (matches(known, tag)) {
			reply.code(304);
			return null;
		}
		// The address is signed for GET alone.
		if (request.query.redirect === true && request.method === 'GET') {
			const address = await store.presign(keyOf(record, artifact), { seconds: LEASE, filename: artifact.name });
			if (address !== null) {
				reply.code(307).header('location', address).header('cache-control', 'no-store');
				// Or it would have the four letters of null.
				reply.serializer(() => '');
				return null;
			}
		}
		const range = condition === undefined || condition === tag ? byteRange(asked, artifact.bytes) : null;
		if (range === 'unsatisfiable') {
			reply.header('content-range', `bytes */${artifact.bytes}`);
			throw new ProblemError('range_not_satisfiable', `${artifact.name} has ${artifact.bytes} bytes`, 'range');
		}
		reply.type(artifact.content_type).header('content-disposition', `attachment; filename="${artifact.name.replace(/[^\w.-]/g, '_')}"`);
		reply.header('content-length', range === null ? artifact.bytes : range.end - range.start + 1);
		if (range !== null) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${artifact.bytes}`);
		return request.method === 'HEAD' ? null : store.read(keyOf(record, artifact), range ?? {});
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
			operationId: 'getJobMetrics',
			summary: 'The curves of a job',
			description: 'From its events while the job runs, and from its artifact `metrics.json` once there is one; both have one form.',
			tags: ['jobs'],
			params: IdParams,
			response: { 200: ref('JobCurves'), ...refusals('not_found') },
		},
		handler: async (request) => {
			const record = await job(callerOf(request), request.params.id);
			const artifact = record.artifacts.find(({ name }) => name === 'metrics.json');
			const bytes = artifact === undefined ? null : await store.get(keyOf(record, artifact));
			return bytes === null ? curvesOf(await eventsOf(record.id)) : (JSON.parse(bytes.toString()) as JobCurves);
		},
	});
	app.route({
		method: 'GET',
		url: '/v1/jobs/:id/artifacts',
		schema: {
			operationId: 'listArtifacts',
			summary: 'What a job has produced',
			tags: ['jobs'],
			params: IdParams,
			response: { 200: ListOf(ref('Artifact'), { description: 'All of them' }), ...refusals('not_found') },
		},
		handler: async (request) => ({
			object: 'list' as const,
			data: (await job(callerOf(request), request.params.id)).artifacts,
			has_more: false,
		}),
	});
	// HEAD has routes of its own, since those that Fastify adds by itself would read the whole artifact. The document leaves every HEAD out.
	for (const method of ['GET', 'HEAD'] as const) {
		app.route({
			method,
			url: '/v1/jobs/:id/artifacts/:name',
			exposeHeadRoute: false,
			schema: {
				operationId: 'downloadArtifact',
				summary: 'Download an artifact',
				description:
					'The schemas Explanation, Diagnostics, EvaluationFigures, Calibration, Robustness and JobCurves describe `explanation.json`, `diagnostics.json`, `evaluation.json`, `calibration.json`, `robustness.json` and `metrics.json`.',
				tags: ['jobs'],
				params: ArtifactParams,
				querystring: DownloadQuery,
				response: downloads(
					'application/octet-stream',
					'application/json',
					'application/jsonl',
					'application/vnd.apache.parquet',
					'text/markdown',
				),
			},
			handler: async (request, reply) => {
				const record = await job(callerOf(request), request.params.id);
				return bodyOf(record, artifactOf(record, request.params.name), request, reply);
			},
		});
		app.route({
			method,
			url: '/v1/jobs/:id/model',
			exposeHeadRoute: false,
			schema: {
				operationId: 'downloadModel',
				summary: 'Download the trained ONNX model',
				tags: ['jobs'],
				params: IdParams,
				querystring: DownloadQuery,
				response: downloads('application/octet-stream'),
			},
			handler: async (request, reply) => {
				const record = await job(callerOf(request), request.params.id);
				return bodyOf(record, artifactOf(record, MODEL_ARTIFACT), request, reply);
			},
		});
	}
}
