import { type Static, Type } from 'typebox';
import { choice } from './choice.js';

const Kept = { count: Type.Integer({ description: 'how many there are' }), bytes: Type.Integer({ description: 'of their files' }) };

/** What lies in the data folder, and how much room its disk has. */
export const Usage = Type.Object({
	object: choice(['usage']),
	disk: Type.Object({
		total_bytes: Type.Integer(),
		free_bytes: Type.Integer(),
		reserved_bytes: Type.Integer({ description: 'with less free, uploads and new jobs are refused' }),
	}),
	datasets: Type.Object(Kept),
	models: Type.Object(Kept),
	jobs: Type.Object({ ...Kept, checkpoint_bytes: Type.Integer({ description: 'those of checkpoints among them' }) }),
	temporary: Type.Object({ count: Type.Integer({ description: 'uploads and files that are not whole yet' }), bytes: Kept.bytes }),
	project: Type.Object(
		{
			name: Type.String(),
			bytes: Type.Integer({ description: 'of all its files' }),
			datasets: Type.Object(Kept),
			models: Type.Object(Kept),
			jobs: Type.Object(Kept),
		},
		{ description: 'what of it belongs to the project that the request works in' },
	),
});
export type Usage = Static<typeof Usage>;

/** Why a job that has ended is no longer kept. */
export const RETENTION_REASONS = ['age', 'count', 'bytes'] as const;
export type RetentionReason = (typeof RETENTION_REASONS)[number];

/** What is no longer kept, and was removed unless it was a dry run. */
export const Retention = Type.Object({
	object: choice(['retention']),
	dry_run: Type.Boolean({ description: 'whether nothing was removed' }),
	jobs: Type.Object(
		{
			...Kept,
			first: Type.Array(Type.Object({ id: Type.String(), reason: choice(RETENTION_REASONS), bytes: Type.Integer() }), {
				description: 'the first 100 of them, the newest first',
			}),
		},
		{ description: 'jobs that have ended and that the limits of age, count and bytes leave no room for' },
	),
	orphans: Type.Object(
		{
			...Kept,
			first: Type.Array(Type.Object({ key: Type.String({ description: 'place in the data folder' }), bytes: Type.Integer() }), {
				description: 'the first 100 of them',
			}),
		},
		{ description: 'what interrupted processes have left and nothing refers to, older than an hour' },
	),
});
export type Retention = Static<typeof Retention>;

/** How retention is asked for. */
export const retentionQuery = Type.Object(
	{ dry_run: Type.Optional(Type.Boolean({ description: 'only say what would be removed; false unless given' })) },
	{ additionalProperties: false },
);
