import { MODEL_ARTIFACT, PREDICTION_BYTES, ProblemError } from '@steelyard/contracts';
import type { PredictionOrder, Queue } from '@steelyard/queue';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { App } from '../fastify-app.js';
import { artifactOf } from '../jobs/artifact.js';
import type { JobLookup } from '../jobs/lookup.js';
import { callerOf } from '../keys/caller.js';
import { ref } from '../schemas/components.js';
import { IdParams } from '../schemas/id-params.js';
import { refusals } from '../schemas/refusals.js';

/** What a body is by its media type. */
const TYPES: ReadonlyMap<string, PredictionOrder['type']> = new Map([
	['application/json', 'json'],
	['text/csv', 'csv'],
]);

/** The most bytes of bodies that are at hand at the same time: less than the 32 MB that Redis lets wait for a worker, before it cuts the connection. */
const MOST_AT_HAND = 3 * PREDICTION_BYTES;

/** The bytes that the body of a request will have, as it says itself; the most that it may have where it does not. */
const bytesSaid = ({ headers }: FastifyRequest): number =>
	Math.min(Number(headers['content-length'] ?? PREDICTION_BYTES), PREDICTION_BYTES);

/** Refuses requests while those at hand, which this process holds until they are answered, have too many bytes. */
function boundBytes(scope: App): void {
	let atHand = 0;
	scope.addHook('onRequest', async (request, reply) => {
		const bytes = bytesSaid(request);
		if (atHand + bytes > MOST_AT_HAND) throw new ProblemError('unavailable', 'Too many rows wait to be predicted: ask again later');
		atHand += bytes;
		reply.raw.once('close', () => {
			atHand -= bytes;
		});
	});
}

const mediaTypeOf = (header: string | undefined): string => (header ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

/** The route that has a worker run the model of a job over rows. Neither the rows nor the answer are read here. */
export async function predictionRoutes(app: App, { queue, job }: { queue: Queue; job: JobLookup }): Promise<void> {
	await app.register(async (scope: App) => {
		boundBytes(scope);
		scope.removeAllContentTypeParsers();
		scope.addContentTypeParser([...TYPES.keys()], { parseAs: 'buffer', bodyLimit: PREDICTION_BYTES }, (_request, body, done) =>
			done(null, body),
		);
		scope.route({
			method: 'POST',
			url: '/v1/jobs/:id/predict',
			config: { scope: 'read' },
			schema: {
				operationId: 'predictRows',
				summary: 'Run the trained model of a job over rows',
				description: `At most 10000 rows and ${PREDICTION_BYTES} bytes, as JSON or, for a job on a table, as csv with a header. It is the file \`model.onnx\` of the job that is run, by a worker, which keeps the models ready that were used last. Nothing of the rows is kept.`,
				tags: ['jobs'],
				consumes: [...TYPES.keys()],
				params: IdParams,
				body: {
					content: {
						'application/json': { schema: ref('PredictionRequest') },
						'text/csv': { schema: Type.String({ description: 'a table' }) },
					},
				},
				response: {
					200: Type.Unsafe<Buffer>(ref('Predictions')),
					...refusals(
						'invalid_request',
						'invalid_json',
						'not_found',
						'artifact_not_ready',
						'too_large',
						'unsupported_media_type',
						'prediction_too_large',
						'prediction_failed',
						'unavailable',
					),
				},
			},
			handler: async (request, reply) => {
				const record = await job(callerOf(request), request.params.id);
				artifactOf(record, MODEL_ARTIFACT);
				const body = request.body as unknown as Buffer | undefined;
				const type = TYPES.get(mediaTypeOf(request.headers['content-type']));
				if (body === undefined || type === undefined)
					throw new ProblemError('invalid_request', 'The request has no body: send rows as JSON, or a csv file');
				const answer = await queue.predictions.ask({ job: record.id, attempt: record.attempt, type, body });
				reply.type('application/json; charset=utf-8').serializer((bytes) => bytes as unknown as string);
				return answer;
			},
		});
	});
}
