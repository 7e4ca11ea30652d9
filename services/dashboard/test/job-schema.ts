import { JobRequest } from '@steelyard/contracts';
import { documented } from '../../api/src/schemas/documented.ts';
import { formOf } from '../src/page/new-job/fields.ts';
import { type ApiDocument, bodyOf, type JsonSchema } from '../src/page/new-job/json-schema.ts';

/** What the page reads of `openapi.json`, made of the schema by which the service validates jobs. */
export const document: ApiDocument = {
	info: { version: '1' },
	paths: {
		'/v1/jobs': { post: { requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/JobRequest' } } } } } },
	},
	components: { schemas: { JobRequest: documented(JobRequest) as JsonSchema } },
};

/** The form of a job. */
export const form = formOf(bodyOf(document, '/v1/jobs'));
