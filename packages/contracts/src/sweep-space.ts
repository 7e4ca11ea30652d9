import { type Static, type TProperties, Type } from 'typebox';
import { choice } from './choice.js';
import type { NameRule } from './name-pattern.js';
import { recordOf } from './record.js';

const closed = { additionalProperties: false } as const;

/** Any value that JSON can write. Its schema says no more, and so neither does its type. */
export type Json = unknown;

/** The most dimensions of a space, and values of one of them. */
export const MOST_DIMENSIONS = 64;
const MOST_VALUES = 1000;

/** The name of a dimension: the path of a field of a job. */
export const DIMENSION_NAME: NameRule = {
	pattern: '^[A-Za-z][A-Za-z0-9_-]{0,62}(\\.[A-Za-z][A-Za-z0-9_-]{0,62}){0,7}$',
	description: 'at most eight names with dots between them, as in training.optimizer.learning_rate',
};

const when = Type.Optional(
	recordOf(DIMENSION_NAME, Type.Unsafe<Json>({ description: 'a value, or a list of values' }), {
		minProperties: 1,
		maxProperties: MOST_DIMENSIONS,
		description:
			'the condition under which the dimension exists: by the name of another dimension, a choice or an int, the value that it has, or a list of such values (a value that is itself a list stands in a list); with several names all must hold; it always exists unless given',
	}),
);

const dimension = <const Name extends string, Fields extends TProperties>(type: Name, description: string, fields: Fields) =>
	Type.Object({ type: choice([type]), ...fields, when }, { ...closed, description });

/** Integers that also have exact halves. */
const INTEGER = { minimum: -1e15, maximum: 1e15 } as const;
const REAL = { minimum: -1e100, maximum: 1e100 } as const;
const POSITIVE = { minimum: 1e-100, maximum: 1e100 } as const;

/** What one field of a job is chosen from. */
export const SweepDimension = Type.Union(
	[
		dimension('choice', 'one of some values, which have no order', {
			values: Type.Array(Type.Unsafe<Json>({ description: 'a text, number, boolean, null, list or object' }), {
				minItems: 1,
				maxItems: MOST_VALUES,
				description: 'each once',
			}),
		}),
		dimension('int', 'an integer from low to high', {
			low: Type.Integer({ ...INTEGER, description: 'the least' }),
			high: Type.Integer({ ...INTEGER, description: 'the greatest, above low' }),
			log: Type.Optional(
				Type.Boolean({ description: 'whether factors count and not differences, so that low must be at least 1; false unless given' }),
			),
		}),
		dimension('uniform', 'a number from low to high', {
			low: Type.Number({ ...REAL, description: 'the least' }),
			high: Type.Number({ ...REAL, description: 'the greatest, above low' }),
		}),
		dimension('log-uniform', 'a number from low to high, whose logarithm is spread evenly', {
			low: Type.Number({ ...POSITIVE, description: 'the least, above 0' }),
			high: Type.Number({ ...POSITIVE, description: 'the greatest, above low' }),
		}),
	],
	{ discriminator: { propertyName: 'type' }, description: 'what the field of that path is chosen from' },
);
export type SweepDimension = Static<typeof SweepDimension>;

/** What a sweep searches: dimensions by the path of the field of the job that they set. */
export const SweepSpace = recordOf(DIMENSION_NAME, SweepDimension, {
	minProperties: 1,
	maxProperties: MOST_DIMENSIONS,
	description: 'what is searched: by the path of a field of the job, what it is chosen from',
});
export type SweepSpace = Static<typeof SweepSpace>;
