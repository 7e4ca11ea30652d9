import type { JobResource, SweepResource } from '@steelyard/contracts';
import { lessIsBetter } from '../compare/metric-order.js';
import { cloned } from '../new-job/clone.js';
import { differences } from '../new-job/differences.js';
import type { Field, FieldOf } from '../new-job/fields.js';
import { having, type Json, type JsonObject } from '../new-job/json.js';
import { mainMetric } from '../start/order.js';
import { dimensionsOf, FIRST_DIMENSIONS } from './dimensions.js';

/** Trials of a sweep until another number is chosen. */
const TRIALS = 30;

/** A field of the form of a sweep. Throws Error where the schema of the service has none of that name. */
export function sweepField<K extends Field['kind']>(form: FieldOf<'group'>, name: string, kind: K): FieldOf<K> {
	const field = form.fields.find((one) => one.name === name);
	if (field?.kind !== kind) throw new Error(`openapi.json has no field ${name} of sweeps that this page can show`);
	return field as FieldOf<K>;
}

/** A sweep around a job that is given as one posts it: its first dimensions are ranges around what they are in the job. */
function around(form: FieldOf<'group'>, job: JsonObject): JsonObject {
	const known = dimensionsOf(sweepField(form, 'job', 'group'), job);
	const space = Object.fromEntries(FIRST_DIMENSIONS.flatMap((path) => (known.has(path) ? [[path, known.get(path) as Json]] : [])));
	return { job, space, budget: { trials: TRIALS } };
}

/** A sweep of nothing yet but a dataset. */
export const emptySweep = (form: FieldOf<'group'>, dataset: string | null): JsonObject => around(form, dataset === null ? {} : { dataset });

/** A sweep of the settings of a job, by the metric that the job is judged by. */
export function sweepOf(form: FieldOf<'group'>, job: JobResource): JsonObject {
	const spec = having(cloned(sweepField(form, 'job', 'group'), job), 'name', undefined);
	const metric = mainMetric(job)?.name ?? 'loss';
	return {
		...(job.spec.name === undefined ? {} : { name: `${job.spec.name}, sweep`.slice(0, 200) }),
		...around(form, spec),
		...(metric === 'loss' ? {} : { metric }),
		...(lessIsBetter(metric) ? {} : { direction: 'maximise' }),
	};
}

/** A sweep like another one, without what are defaults anyway. */
export const sweepLike = (form: FieldOf<'group'>, { spec }: Pick<SweepResource, 'spec'>): JsonObject =>
	(differences(form, spec as unknown as Json) as JsonObject | undefined) ?? {};
