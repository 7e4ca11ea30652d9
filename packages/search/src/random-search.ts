import type { Json, SweepDimension, SweepSpace } from '@steelyard/contracts';
import type { CounterRandom } from '@steelyard/random';
import { type Assignment, boundsOf, exists, orderedDimensions, valueAt } from './space.js';

/** A value of a dimension: each of a choice or of a plain int is equally likely, and a logarithmic range is spread evenly over its logarithm. */
function drawn(dimension: SweepDimension, random: CounterRandom): Json {
	if (dimension.type === 'choice') return dimension.values[random.below(dimension.values.length)] as Json;
	const { low, high } = boundsOf(dimension);
	return valueAt(dimension, low + random.uniform() * (high - low));
}

/** An assignment that is drawn at random, dimension by dimension (Bergstra and Bengio 2012). It may have been drawn before. */
export function randomAssignment(space: SweepSpace, random: CounterRandom): Assignment {
	const assignment: Record<string, Json> = {};
	for (const { name, dimension } of orderedDimensions(space))
		if (exists(dimension, assignment)) assignment[name] = drawn(dimension, random);
	return assignment;
}
