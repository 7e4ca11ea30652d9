import { canonicalJson, conditionValues, type Json, type SweepDimension, type SweepSpace } from '@steelyard/contracts';

/** A value for each dimension that exists, by its name. */
export type Assignment = { readonly [name: string]: Json };

/** A dimension with its name. */
export type Named<D extends SweepDimension = SweepDimension> = { readonly name: string; readonly dimension: D };
export type Choice = Extract<SweepDimension, { type: 'choice' }>;
/** A dimension whose values have an order. */
export type Range = Exclude<SweepDimension, Choice>;

/** The dimensions of a space in the order in which it has them, but each behind those that its condition names. The space has passed `spaceProblems`. */
export function orderedDimensions(space: SweepSpace): Named[] {
	const waiting = new Map(Object.entries(space));
	const ordered: Named[] = [];
	while (waiting.size > 0) {
		const next = [...waiting].find(([, { when = {} }]) => !Object.keys(when).some((parent) => waiting.has(parent)));
		if (next === undefined) throw new RangeError(`the conditions of ${[...waiting.keys()].join(', ')} make a circle`);
		const [name, dimension] = next;
		waiting.delete(name);
		ordered.push({ name, dimension });
	}
	return ordered;
}

/** Whether a dimension exists beside the values that those have which its condition names. */
export function exists({ when = {} }: SweepDimension, assignment: Assignment): boolean {
	return Object.entries(when).every(([parent, condition]) => {
		const value = assignment[parent];
		return value !== undefined && conditionValues(condition).some((one) => canonicalJson(one) === canonicalJson(value));
	});
}

/** The dimensions of equal condition, which exist together or not at all, in the order of `orderedDimensions`. */
export function groupsOf(space: SweepSpace): Named[][] {
	const groups = new Map<string, Named[]>();
	for (const named of orderedDimensions(space)) {
		const condition = canonicalJson((named.dimension.when ?? {}) as Json);
		groups.set(condition, [...(groups.get(condition) ?? []), named]);
	}
	return [...groups.values()];
}

/** The place of a value among those of a choice, from 0. Throws RangeError where it is none of them. */
export function placeOf({ values }: Choice, value: Json): number {
	const place = values.findIndex((one) => canonicalJson(one) === canonicalJson(value));
	if (place === -1) throw new RangeError(`${canonicalJson(value)} is none of the values of the choice`);
	return place;
}

/** Whether the logarithm of a range is what is spread evenly. */
export const isLogarithmic = (range: Range): boolean => range.type === 'log-uniform' || (range.type === 'int' && range.log === true);

/**
 * Where a range begins and ends on the scale on which its values are spread evenly. An integer stands for the numbers that round to it, so that an int begins half
 * a step below `low` and ends half a step above `high`.
 */
export function boundsOf(range: Range): { low: number; high: number } {
	const half = range.type === 'int' ? 0.5 : 0;
	const scale = isLogarithmic(range) ? Math.log : (value: number) => value;
	return { low: scale(range.low - half), high: scale(range.high + half) };
}

/** The value of a range that a number on that scale stands for. */
export function valueAt(range: Range, scaled: number): number {
	const plain = isLogarithmic(range) ? Math.exp(scaled) : scaled;
	return Math.min(range.high, Math.max(range.low, range.type === 'int' ? Math.round(plain) : plain));
}

/** A value of a range on that scale. */
export const scaledOf = (range: Range, value: number): number => (isLogarithmic(range) ? Math.log(value) : value);
