import type { JobResource } from '@steelyard/contracts';

export type SpecValue = string | number | boolean | null;
/** A field of the specs, and its value in each of the jobs, in their order; undefined where a spec has no such field. */
export type Difference = { readonly field: string; readonly values: readonly (SpecValue | undefined)[] };

/** The fields of a spec by their paths, such as `training.optimizer.learning_rate`. A list of plain values is one value. */
export function flatten(value: unknown, path = '', into: Map<string, SpecValue> = new Map()): Map<string, SpecValue> {
	if (Array.isArray(value) && value.every((one) => typeof one !== 'object' || one === null)) into.set(path, value.join(', '));
	else if (typeof value === 'object' && value !== null)
		for (const [name, of] of Object.entries(value)) flatten(of, path === '' ? name : `${path}.${name}`, into);
	else if (value !== undefined) into.set(path, value as SpecValue);
	return into;
}

/** Fields that say nothing of the training. */
const NAMES = /^(name$|metadata(\.|$)|priority$)/;

/** The fields in which the specs of jobs differ, in the order of the specs; what is equal in all is left out. */
export function differencesOf(jobs: readonly Pick<JobResource, 'spec'>[], { withNames = false } = {}): Difference[] {
	const flat = jobs.map(({ spec }) => flatten(spec));
	const fields = [...new Set(flat.flatMap((of) => [...of.keys()]))];
	return fields
		.filter((field) => withNames || !NAMES.test(field))
		.map((field) => ({ field, values: flat.map((of) => of.get(field)) }))
		.filter(({ values }) => values.some((value) => value !== values[0]));
}
