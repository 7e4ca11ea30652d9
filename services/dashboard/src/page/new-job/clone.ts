import type { JobResource } from '@steelyard/contracts';
import { differences } from './differences.js';
import type { Field } from './fields.js';
import { isObject, type Json, type JsonObject, own } from './json.js';

/** The spec of a job, without what are defaults anyway. */
export const cloned = (form: Field, { spec }: Pick<JobResource, 'spec'>): JsonObject =>
	(differences(form, spec as unknown as Json) as JsonObject | undefined) ?? {};

/** The same, which begins where the job ended: with the parameters of its last epoch and the state of its optimizer, where it kept that, else with its best ones. */
export function continued(form: Field, { id, spec }: Pick<JobResource, 'id' | 'spec'>): JsonObject {
	const copy = cloned(form, { spec });
	const kept = spec.training.keep_state ?? 'optimizer';
	const start: Json = kept === 'optimizer' ? { job: id, parameters: 'last', optimizer: true } : id;
	const training = own(copy, 'training');
	return { ...copy, training: { ...(isObject(training) ? training : {}), initialise_from: start } };
}
