import type { Json, SweepDimension, SweepSpace } from '@steelyard/contracts';
import { type Assignment, exists, isLogarithmic, type Named, orderedDimensions, scaledOf, valueAt } from './space.js';

/** The values of a dimension in a grid, in order, each once. `points` of a range include both ends exactly; a plain int has every integer. */
function* pointsOf(dimension: SweepDimension, points: number): Iterable<Json> {
	if (dimension.type === 'choice') {
		yield* dimension.values;
	} else if (dimension.type === 'int' && !isLogarithmic(dimension)) {
		for (let value = dimension.low; value <= dimension.high; value++) yield value;
	} else {
		const [low, high] = [scaledOf(dimension, dimension.low), scaledOf(dimension, dimension.high)];
		let last: number | null = null;
		for (let i = 0; i < points; i++) {
			const value =
				i === 0 ? dimension.low : i === points - 1 ? dimension.high : valueAt(dimension, low + ((high - low) * i) / (points - 1));
			if (value !== last) yield value;
			last = value;
		}
	}
}

/**
 * All assignments of a space in order: the last dimension changes first, a dimension is left out where it does not exist, and no assignment comes twice. They are
 * made one by one, for there may be more than fit in memory.
 *
 * @param points values of each range that is no plain int, at least 2
 */
export function* gridOf(space: SweepSpace, points: number): Iterable<Assignment> {
	yield* from(orderedDimensions(space), points, {});
}

function* from([first, ...others]: readonly Named[], points: number, assignment: Assignment): Iterable<Assignment> {
	if (first === undefined) {
		yield assignment;
	} else if (!exists(first.dimension, assignment)) {
		yield* from(others, points, assignment);
	} else {
		for (const value of pointsOf(first.dimension, points)) yield* from(others, points, { ...assignment, [first.name]: value });
	}
}

/** The assignment of that number, from 0; null where the grid has fewer. */
export function gridAssignment(space: SweepSpace, points: number, number: number): Assignment | null {
	let at = 0;
	for (const assignment of gridOf(space, points)) if (at++ === number) return assignment;
	return null;
}

/** How many assignments a grid has, counted up to `most`. */
export function gridSize(space: SweepSpace, points: number, most: number): number {
	let size = 0;
	for (const _ of gridOf(space, points)) if (++size === most) break;
	return size;
}
