import { branchOf, type Field, type FieldOf, isLookedAt } from '../new-job/fields.js';
import { isObject, type Json, type JsonObject, own } from '../new-job/json.js';

/** What says nothing of how well a job learns, or is what the sweep itself sets. */
const ASIDE: ReadonlySet<string> = new Set([
	...['dataset', 'name', 'metadata', 'priority', 'notify', 'device'],
	...['training.seed', 'training.keep_state', 'training.initialise_from'],
]);

const round = (value: number): number => Number(value.toPrecision(3));

/** A range around the value that a number has, within what its schema allows. */
function rangeAround({ isInteger, schema }: FieldOf<'number'>, value: number | null): Json | null {
	const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
	const least = minimum ?? exclusiveMinimum ?? 0;
	const most = maximum ?? Number.POSITIVE_INFINITY;
	if (isInteger) {
		const middle = value ?? least;
		const low = Math.max(least, Math.ceil(middle / 2), 1);
		const high = Math.min(most, Math.max(middle * 2, low + 1));
		return low < high ? { type: 'int', low, high } : null;
	}
	if (exclusiveMaximum === 1 || most <= 1) {
		const high = round(Math.min(exclusiveMaximum === undefined ? most : 0.99, Math.max(0.5, (value ?? 0) * 1.5)));
		return { type: 'uniform', low: exclusiveMinimum === undefined ? least : 0.01, high };
	}
	if (value === null || value <= 0) return { type: 'uniform', low: Math.max(0, least), high: Math.min(most, 1) };
	return { type: 'log-uniform', low: round(value / 10), high: round(Math.min(most, value * 10)) };
}

const choice = (values: readonly Json[]): Json => ({ type: 'choice', values });

/**
 * What may vary in a job: by the path of each field that is looked at in it, a range or a choice around what it is now.
 *
 * @param job the job as it was given, without what are defaults
 */
export function dimensionsOf({ fields }: FieldOf<'group'>, job: Json | undefined): Map<string, JsonObject> {
	const found = new Map<string, JsonObject>();
	const add = (path: string, dimension: Json | null): void => {
		if (isObject(dimension)) found.set(path, dimension);
	};
	const walkAll = (inner: readonly Field[], group: Json | undefined, path: string): void => {
		for (const field of inner)
			if (!field.isDeprecated && isLookedAt(field, inner, group))
				walk(field, own(group, field.name) ?? field.standard, path === '' ? field.name : `${path}.${field.name}`);
	};
	const walk = (field: Field, value: Json | undefined, path: string): void => {
		if (ASIDE.has(path)) return;
		switch (field.kind) {
			case 'number':
				return add(path, rangeAround(field, typeof value === 'number' ? value : null));
			case 'switch':
				return add(path, choice([false, true]));
			case 'choice':
				return add(path, field.values.length > 1 ? choice(field.values) : null);
			case 'short': {
				const key = field.fields.find(({ name }) => name === field.key);
				return key === undefined ? undefined : walk(key, isObject(value) ? own(value, field.key) : value, path);
			}
			case 'group':
				return value === null ? undefined : walkAll(field.fields, value, path);
			case 'branches': {
				const branch = branchOf(field, value);
				add(`${path}.${field.by}`, choice(field.branches.map(({ name }) => name)));
				return branch === undefined ? undefined : walkAll(branch.fields, value, path);
			}
		}
	};
	walkAll(fields, job, '');
	return found;
}

/** The dimensions that a sweep begins with where nobody has chosen any: what nearly every job depends on. */
export const FIRST_DIMENSIONS = ['training.optimizer.learning_rate', 'training.batch_size'] as const;

/** What a dimension can depend on: by the names of the choices and ints of a space, the first value of each. */
export function conditionsOf(space: Json | undefined): Map<string, Json> {
	const found = new Map<string, Json>();
	for (const [name, dimension] of Object.entries(isObject(space) ? space : {})) {
		const [values, low] = [own(dimension, 'values'), own(dimension, 'low')];
		if (own(dimension, 'type') === 'choice' && Array.isArray(values) && values.length > 0) found.set(name, values[0] as Json);
		if (own(dimension, 'type') === 'int' && low !== undefined) found.set(name, low);
	}
	return found;
}
