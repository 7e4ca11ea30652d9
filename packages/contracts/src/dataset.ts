import { type Static, Type } from 'typebox';
import { choice } from './choice.js';
import { CLASS_NAME, MOST_MODALITIES, NAME, NAME_PATTERN } from './name-pattern.js';
import { metadata } from './naming.js';
import { nullable } from './nullable.js';
import { ownProject } from './project.js';
import { recordOf } from './record.js';
import { TableProfile } from './table.js';
import { TASK_TYPES } from './task-type.js';

/** Element types in which a dataset keeps a modality: numbers with a fraction as float32, whole ones in their own type. */
export const MODALITY_DTYPES = ['float32', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'bool'] as const;
export type ModalityDtype = (typeof MODALITY_DTYPES)[number];

/** `manifest.json` of a dataset, optional; unknown keys are kept and ignored. */
export const Manifest = Type.Object({
	name: Type.Optional(Type.String({ maxLength: 200, description: 'a short name' })),
	title: Type.Optional(Type.String({ maxLength: 2000, description: 'one line that says what the dataset is' })),
	task: Type.Object(
		{
			type: choice(TASK_TYPES, { description: 'what is predicted' }),
			classes: Type.Optional(
				Type.Array(Type.String({ maxLength: 200, ...CLASS_NAME }), {
					minItems: 2,
					maxItems: 100_000,
					description:
						'different names of the classes or labels, in the order of their numbers or columns; "0", "1", … unless given; not for regression',
				}),
			),
			class_count: Type.Optional(
				Type.Integer({
					minimum: 2,
					maximum: 100_000,
					description:
						'how many classes there are, instead of their names, where not each of them occurs in the training split; for multiclass only',
				}),
			),
			per: Type.Optional(
				choice(['row', 'position'], {
					description:
						'what has a label: each row (unless given), or each position of a row, such as a step or a pixel: labels are then (rows, …positions); not for multilabel',
				}),
			),
			ignore_index: Type.Optional(
				Type.Integer({
					minimum: -(2 ** 31),
					maximum: 2 ** 31 - 1,
					description:
						'the label of positions that do not count, where each position has a class; -100 unless given; of a regression such a label is NaN',
				}),
			),
		},
		{ description: 'what the labels mean' },
	),
	modalities: Type.Optional(
		recordOf(
			NAME,
			Type.Object({
				shape: Type.Optional(
					Type.Array(Type.Integer({ minimum: 1 }), {
						minItems: 1,
						maxItems: 7,
						description:
							'of one instance, [features], [steps, features] or of more axes, which the files must have; that of the training file unless given',
					}),
				),
				columns: Type.Optional(
					Type.Array(Type.String({ maxLength: 200 }), {
						maxItems: 100_000,
						description: 'a name for each feature, which error messages use',
					}),
				),
				description: Type.Optional(Type.String({ maxLength: 2000, description: 'what the modality is' })),
				standardize: Type.Optional(
					Type.Boolean({
						description:
							'false where the features are on one scale already, and a job leaves them as they are; whatever the job says unless given',
					}),
				),
				tokens: Type.Optional(
					Type.Integer({
						minimum: 2,
						maximum: 10_000_000,
						description:
							'how many tokens there are, where the whole numbers of a vector are ids of tokens, such as words, from 0 to one less: built-in families look up a trained vector for each',
					}),
				),
			}),
			{
				minProperties: 1,
				maxProperties: MOST_MODALITIES,
				description:
					'the modalities to read, by name; other arrays are left alone and listed as ignored; every array is a modality unless given',
			},
		),
	),
	splits: Type.Optional(
		recordOf(NAME, Type.Unknown(), {
			maxProperties: 1000,
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
	classes: Type.Array(Type.String(), {
		description:
			'names of the classes or labels in the order of their index; empty for regression, and where more than 1000 classes of positions have no names but their numbers',
	}),
	outputs: Type.Integer({
		minimum: 1,
		description:
			'numbers that a model gives for an instance, or for a position of it: one for each class or label, 1 for binary and regression',
	}),
	positions: Type.Optional(
		Type.Array(Type.Integer({ minimum: 1 }), {
			minItems: 1,
			description: 'where each position of an instance has a label: the shape of its labels, such as [steps] or [height, width]',
		}),
	),
	ignore_index: Type.Optional(Type.Integer({ description: 'the label of positions that do not count, in the uploaded files' })),
});
export type TaskProfile = Static<typeof TaskProfile>;

/** What is known of one modality of a dataset. */
export const ModalityProfile = Type.Object({
	shape: Type.Array(Type.Integer(), { description: 'of one instance: [features], [steps, features], or of more axes' }),
	masked: Type.Boolean({ description: 'whether mask files say which instances or steps are present' }),
	mask: Type.Optional(
		choice(['rows', 'steps'], {
			description: 'what the mask marks: whole instances, or what lies along the first axis of each; of sequences always steps',
		}),
	),
	missing: Type.Number({ minimum: 0, maximum: 1, description: 'the share of the instances of all splits that lack the modality' }),
	dtype: Type.Optional(
		choice(MODALITY_DTYPES, { description: 'element type of the values; float32 in datasets of older versions, which lack the field' }),
	),
	min: Type.Optional(Type.Number({ description: 'the least value of all splits, where what is missing counts as 0' })),
	max: Type.Optional(Type.Number({ description: 'the largest value of all splits, where what is missing counts as 0' })),
	whole: Type.Optional(Type.Boolean({ description: 'whether every value is a whole number' })),
	columns: Type.Optional(Type.Array(Type.String())),
	description: Type.Optional(Type.String()),
	standardize: Type.Optional(Type.Boolean({ description: 'false where a job leaves the values as they are' })),
	tokens: Type.Optional(Type.Integer({ description: 'how many tokens there are, where the values are ids of tokens' })),
});
export type ModalityProfile = Static<typeof ModalityProfile>;

/** What the mask of a modality marks, also of one whose profile is of an older version; null where it has none. */
export const maskOf = ({ shape, masked, mask }: Pick<ModalityProfile, 'shape' | 'masked' | 'mask'>): 'rows' | 'steps' | null =>
	masked ? (mask ?? (shape.length === 2 ? 'steps' : 'rows')) : null;

/** The element type of a modality, also of one whose profile is of an older version. */
export const dtypeOf = ({ dtype = 'float32' }: Pick<ModalityProfile, 'dtype'>): ModalityDtype => dtype;

/** What is known of one split of a dataset. */
export const SplitProfile = Type.Object({
	rows: Type.Integer({ description: 'instances' }),
	labels: Type.Record(Type.String(), Type.Number(), {
		description:
			'how many instances (or positions that have labels) there are by class or label, of the 1000 most frequent ones; for regression mean, std, min and max',
	}),
	ignored_positions: Type.Optional(Type.Integer({ description: 'positions that do not count, where positions have labels' })),
});

/** What is known of a validated dataset. All but a name that the manifest does not give depends on the bytes of the dataset alone. */
export const DatasetProfile = Type.Object({
	name: Type.String({ description: 'that which it was given, else that of the manifest, else that of the uploaded file' }),
	title: nullable(Type.String()),
	task: TaskProfile,
	modalities: Type.Record(Type.String(), ModalityProfile),
	splits: Type.Record(Type.String(), SplitProfile),
	ignored: Type.Optional(
		Type.Array(Type.Object({ file: Type.String(), reason: Type.String() }), {
			description: 'arrays of the upload that were not read, because the manifest names the modalities to read; the first 100',
		}),
	),
	table: Type.Optional(TableProfile),
	bytes: Type.Integer({ description: 'of the validated arrays' }),
	sha256: Type.String({ description: 'checksum of the names and contents of the validated arrays' }),
});
export type DatasetProfile = Static<typeof DatasetProfile>;

/** An uploaded dataset. */
export const DatasetResource = Type.Object({
	id: Type.String(),
	object: choice(['dataset']),
	project: ownProject,
	created_at: Type.Integer({ description: 'unix seconds' }),
	...DatasetProfile.properties,
	metadata: metadata({ description: 'texts of your own by name, which the service keeps and does not read' }),
	manifest: Type.Unknown({ description: 'manifest.json as uploaded; null where there was none, and in lists' }),
});
export type DatasetResource = Static<typeof DatasetResource>;

/** A dataset as lists show it, in 64 kB at most beside its metadata: without its manifest, the names and counts of classes, and what is known of the values of modalities. */
export function listedDataset(dataset: DatasetResource): DatasetResource {
	const { id, object, project, created_at, name, title, task, bytes, sha256, metadata } = dataset;
	const modalities = Object.entries(dataset.modalities).map(([modality, { shape, masked, mask, missing, dtype }]) => [
		modality,
		{ shape, masked, ...(mask === undefined ? {} : { mask }), missing, ...(dtype === undefined ? {} : { dtype }) },
	]);
	const splits = Object.entries(dataset.splits).map(([split, { rows }]) => [split, { rows, labels: {} }]);
	return {
		...{ id, object, ...(project === undefined ? {} : { project }), created_at, name, title, bytes, sha256, metadata },
		task: { ...task, classes: [] },
		modalities: Object.fromEntries(modalities),
		splits: Object.fromEntries(splits),
		manifest: null,
	};
}
