import { type Static, Type } from 'typebox';

/** The most labels that a worker has, and that a job asks for. */
export const MOST_LABELS = 16;

/** What a label looks like: neither commas, which stand between labels, nor blanks. */
export const LABEL = '^[A-Za-z0-9][A-Za-z0-9._/:=-]{0,62}$';

/** What a job asks of the worker that is to run it, beside its device. */
export const Requires = Type.Object(
	{
		labels: Type.Optional(
			Type.Array(Type.String({ pattern: LABEL }), {
				maxItems: MOST_LABELS,
				description: 'all of which the worker has, by its STEELYARD_LABELS',
			}),
		),
		memory_bytes: Type.Optional(
			Type.Integer({
				minimum: 1,
				maximum: 2 ** 50,
				description:
					'that the worker lets the trainer of a job take at least, by its STEELYARD_JOB_MEMORY; rounded up to whole GiB, while what a worker has is rounded down',
			}),
		),
	},
	{
		additionalProperties: false,
		description: 'what the worker that runs the job must have beside its device; the job waits for one that has it',
	},
);
export type Requires = Static<typeof Requires>;
