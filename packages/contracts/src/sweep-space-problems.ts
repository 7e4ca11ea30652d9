import { ProblemError } from './problems.js';
import { shown } from './shown.js';
import type { Json, SweepDimension, SweepSpace } from './sweep-space.js';

/** The most characters of a value as JSON; every trial keeps a copy. */
const LONGEST_VALUE = 4096;

const refusal = (param: string, what: string) => new ProblemError('invalid_request', `${param} ${what}`, param);

/** A value as JSON whose fields are in alphabetical order: equal texts are equal values. */
export function canonicalJson(value: Json): string {
	return JSON.stringify(value, (_, inner: unknown) =>
		typeof inner === 'object' && inner !== null && !Array.isArray(inner)
			? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
			: inner,
	);
}

/** The values of a condition: a list means any of its items. */
export const conditionValues = (condition: Json): readonly Json[] =>
	Array.isArray(condition) ? (condition as readonly Json[]) : [condition];

function* rangeProblems(param: string, dimension: SweepDimension): Iterable<ProblemError> {
	if (dimension.type === 'choice') {
		const seen = new Set<string>();
		for (const [i, value] of dimension.values.entries()) {
			const text = canonicalJson(value);
			if (text.length > LONGEST_VALUE)
				yield refusal(`${param}.values.${i}`, `must have at most ${LONGEST_VALUE} characters as JSON, found ${text.length}`);
			if (seen.has(text)) yield refusal(`${param}.values.${i}`, `names ${shown(value)} twice`);
			seen.add(text);
		}
		return;
	}
	const { low, high } = dimension;
	if (low >= high) yield refusal(`${param}.high`, `must be above low (${low}), found ${high}`);
	if (dimension.type === 'int' && dimension.log === true && low < 1)
		yield refusal(`${param}.low`, `must be at least 1 for a logarithmic int, found ${low}`);
}

/** Whether a dimension can have a value; null where it is of a type that conditions cannot name. */
function takes(dimension: SweepDimension, value: Json): boolean | null {
	if (dimension.type === 'choice') return dimension.values.some((one) => canonicalJson(one) === canonicalJson(value));
	if (dimension.type !== 'int') return null;
	return typeof value === 'number' && Number.isInteger(value) && value >= dimension.low && value <= dimension.high;
}

function* conditionProblems(space: SweepSpace, name: string): Iterable<ProblemError> {
	for (const [parent, condition] of Object.entries(space[name]?.when ?? {})) {
		const param = `space.${name}.when.${parent}`;
		const other = Object.hasOwn(space, parent) ? space[parent] : undefined;
		const values = conditionValues(condition);
		if (other === undefined) {
			yield refusal(param, `names no dimension of the space, which has ${Object.keys(space).join(', ')}`);
		} else if (values.length === 0) {
			yield refusal(param, 'must have at least one value, found none');
		} else {
			const stray = values.find((value) => takes(other, value) !== true);
			if (takes(other, values[0] as Json) === null) yield refusal(param, `must name a choice or an int, found ${other.type}`);
			else if (stray !== undefined) yield refusal(param, `has the value ${shown(stray)}, which ${parent} never takes`);
		}
	}
}

/** The names along the first circle of conditions; null where there is none. */
function circleOf(space: SweepSpace): string[] | null {
	const finished = new Set<string>();
	const walk = (name: string, path: readonly string[]): string[] | null => {
		const start = path.indexOf(name);
		if (start !== -1) return [...path.slice(start), name];
		if (finished.has(name)) return null;
		for (const parent of Object.keys(space[name]?.when ?? {})) {
			const circle = walk(parent, [...path, name]);
			if (circle !== null) return circle;
		}
		finished.add(name);
		return null;
	};
	for (const name of Object.keys(space)) {
		const circle = walk(name, []);
		if (circle !== null) return circle;
	}
	return null;
}

/** What is wrong with a space that fits its schema: bounds, values, conditions, and fields that lie inside each other. */
export function* spaceProblems(space: SweepSpace): Iterable<ProblemError> {
	const names = Object.keys(space);
	for (const name of names) {
		yield* rangeProblems(`space.${name}`, space[name] as SweepDimension);
		yield* conditionProblems(space, name);
		const outer = names.find((other) => name.startsWith(`${other}.`));
		if (outer !== undefined) yield refusal(`space.${name}`, `lies inside ${outer}, which is a dimension itself`);
	}
	const circle = circleOf(space);
	if (circle !== null)
		yield refusal(`space.${circle[0]}.when`, `leads back to itself: ${circle.join(' → ')}; expected conditions without a circle`);
}
