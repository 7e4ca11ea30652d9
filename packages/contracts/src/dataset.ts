import { type Static, Type } from 'typebox';
import { choice } from './choice.js';
import { NAME_PATTERN } from './name-pattern.js';
import { nullable } from './nullable.js';

export const TASK_TYPES = ['binary', 'multiclass', 'multilabel', 'regression'] as const;
export type TaskType = (typeof TASK_TYPES)[number];

/** `manifest.json` of a dataset, optional; unknown keys are kept and ignored. */
export const Manifest = Type.Object({
	name: Type.Optional(Type.String({ maxLength: 200, description: 'a short name' })),
	title: Type.Optional(Type.String({ maxLength: 2000, description: 'one line that says what the dataset is' })),
	task: Type.Object(
		{
			type: choice(TASK_TYPES, { description: 'what is predicted' }),
			classes: Type.Optional(
				Type.Array(Type.String({ maxLength: 200 }), {
					minItems: 2,
					maxItems: 100_000,
					description:
						'different names of the classes or labels, in the order of their numbers or columns; "0", "1", … unless given; not for regression',
				}),
			),
		},
		{ description: 'what the labels mean' },
	),
	modalities: Type.Record(
		Type.String({ pattern: NAME_PATTERN }),
		Type.Object({
			shape: Type.Optional(
				Type.Array(Type.Integer({ minimum: 1 }), {
					minItems: 1,
					maxItems: 2,
					description:
						'of one instance, [features] or [steps, features], which the files must have; that of the training file unless given',
				}),
			),
			columns: Type.Optional(Type.Array(Type.String(), { description: 'a name for each feature, which error messages use' })),
			description: Type.Optional(Type.String({ description: 'what the modality is' })),
		}),
		{
			minProperties: 1,
			description: 'the modalities to read, by name; every other file is left alone',
		},
	),
	splits: Type.Optional(
		Type.Record(Type.String({ pattern: NAME_PATTERN }), Type.Unknown(), {
			description: 'splits beside train, valid and test that are to be judged, by name; a number is how many rows the split must have',
		}),
	),
	group: Type.Optional(
		Type.String({
			pattern: NAME_PATTERN,
			description: 'the name in the files {split}_{group}.npy, whose equal values must stay on one side when the training rows are cut',
		}),
	),
	about: Type.Optional(Type.Unknown({ description: 'anything else, which is kept and not read' })),
});
export type Manifest = Static<typeof Manifest>;

/** What is predicted from the instances of a dataset. */
export const TaskProfile = Type.Object({
	type: choice(TASK_TYPES),
	classes: Type.Array(Type.String(), { description: 'names of the classes or labels in the order of their index; empty for regression' }),
	outputs: Type.Integer({
		minimum: 1,
		description: 'numbers that a model gives for an instance: one for each class or label, 1 for binary and regression',
	}),
});
export type TaskProfile = Static<typeof TaskProfile>;

/** What is known of one modality of a dataset. */
export const ModalityProfile = Type.Object({
	shape: Type.Array(Type.Integer(), { description: 'of one instance: [features] or [steps, features]' }),
	masked: Type.Boolean({ description: 'whether mask files say which instances or steps are present' }),
	missing: Type.Number({ minimum: 0, maximum: 1, description: 'the share of the instances of all splits that lack the modality' }),
	columns: Type.Optional(Type.Array(Type.String())),
	description: Type.Optional(Type.String()),
});
export type ModalityProfile = Static<typeof ModalityProfile>;

/** What is known of one split of a dataset. */
export const SplitProfile = Type.Object({
	rows: Type.Integer({ description: 'instances' }),
	labels: Type.Record(Type.String(), Type.Number(), {
		description: 'how many instances there are by class or label; for regression mean, std, min and max',
	}),
});

/** What is known of a validated dataset. All but a name that the manifest does not give depends on the bytes of the dataset alone. */
export const DatasetProfile = Type.Object({
	name: Type.String({ description: 'that of the manifest, else that of the uploaded file' }),
	title: nullable(Type.String()),
	task: TaskProfile,
	modalities: Type.Record(Type.String(), ModalityProfile),
	splits: Type.Record(Type.String(), SplitProfile),
	bytes: Type.Integer({ description: 'of the validated arrays' }),
	sha256: Type.String({ description: 'checksum of the names and contents of the validated arrays' }),
});
export type DatasetProfile = Static<typeof DatasetProfile>;

/** An uploaded dataset. */
export const DatasetResource = Type.Object({
	id: Type.String(),
	object: choice(['dataset']),
	created_at: Type.Integer({ description: 'unix seconds' }),
	...DatasetProfile.properties,
	manifest: Type.Unknown({ description: 'manifest.json as uploaded; null where there was none' }),
});
export type DatasetResource = Static<typeof DatasetResource>;
