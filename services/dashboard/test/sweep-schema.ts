import { SweepRequest } from '@steelyard/contracts';
import { documented } from '../../api/src/schemas/documented.ts';
import { formOf } from '../src/page/new-job/fields.ts';
import { bodyOf, type JsonSchema } from '../src/page/new-job/json-schema.ts';

/** The form of a sweep, made of the schema by which the service describes sweeps. */
export const sweepForm = formOf(
	bodyOf(
		{
			info: { version: '1' },
			paths: {
				'/v1/sweeps': { post: { requestBody: { content: { 'application/json': { schema: documented(SweepRequest) as JsonSchema } } } } },
			},
			components: { schemas: {} },
		},
		'/v1/sweeps',
	),
);
