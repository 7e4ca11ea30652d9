import { type Static, Type } from 'typebox';
import { NAME_PATTERN } from './spec.js';

export const TASK_TYPES = ['binary', 'multiclass', 'multilabel', 'regression'] as const;
export type TaskType = (typeof TASK_TYPES)[number];

/** `manifest.json` of a dataset, optional; unknown keys are kept and ignored. */
export const Manifest = Type.Object({
	name: Type.Optional(Type.String({ maxLength: 200 })),
	title: Type.Optional(Type.String({ maxLength: 2000 })),
	task: Type.Object({
		type: Type.Unsafe<TaskType>({ type: 'string', enum: [...TASK_TYPES] }),
		classes: Type.Optional(Type.Array(Type.String({ maxLength: 200 }), { minItems: 2, maxItems: 100_000 })),
	}),
	modalities: Type.Record(
		Type.String({ pattern: NAME_PATTERN }),
		Type.Object({
			shape: Type.Optional(Type.Array(Type.Integer({ minimum: 1 }), { minItems: 1, maxItems: 2 })),
			columns: Type.Optional(Type.Array(Type.String())),
			description: Type.Optional(Type.String()),
		}),
		{ minProperties: 1 },
	),
	splits: Type.Optional(Type.Record(Type.String({ pattern: NAME_PATTERN }), Type.Unknown())),
	group: Type.Optional(Type.String({ pattern: NAME_PATTERN })),
	about: Type.Optional(Type.Unknown()),
});
export type Manifest = Static<typeof Manifest>;

/** The task of a dataset; `classes` are the names in label order (empty for regression), `outputs` the width of a label or logit row. */
export const TaskProfile = Type.Object({
	type: Type.Unsafe<TaskType>({ type: 'string', enum: [...TASK_TYPES] }),
	classes: Type.Array(Type.String()),
	outputs: Type.Integer({
		minimum: 1,
		description: 'logits a row: classes for multiclass, labels for multilabel, 1 for binary and regression',
	}),
});
export type TaskProfile = Static<typeof TaskProfile>;

export const ModalityProfile = Type.Object({
	shape: Type.Array(Type.Integer(), { description: 'of one instance: [features] or [steps, features]' }),
	masked: Type.Boolean({ description: 'whether mask files say which rows or steps are present' }),
	missing: Type.Number({ minimum: 0, maximum: 1, description: 'share of absent rows over all splits' }),
	columns: Type.Optional(Type.Array(Type.String())),
	description: Type.Optional(Type.String()),
});
export type ModalityProfile = Static<typeof ModalityProfile>;

export const SplitProfile = Type.Object({
	rows: Type.Integer(),
	labels: Type.Unknown({ description: 'count by class name, or {mean, std, min, max} for regression' }),
});

/** What is known of a validated dataset: a pure function of its bytes. */
export const DatasetProfile = Type.Object({
	name: Type.String(),
	title: Type.Union([Type.String(), Type.Null()]),
	task: TaskProfile,
	modalities: Type.Record(Type.String(), ModalityProfile),
	splits: Type.Record(Type.String(), SplitProfile),
	bytes: Type.Integer(),
	sha256: Type.String({ description: 'over names and contents of the validated arrays, in order' }),
});
export type DatasetProfile = Static<typeof DatasetProfile>;

export const DatasetResource = Type.Object({
	id: Type.String(),
	object: Type.Unsafe<'dataset'>({ type: 'string', enum: ['dataset'] }),
	created_at: Type.Integer({ description: 'unix seconds' }),
	...DatasetProfile.properties,
	manifest: Type.Unknown({ description: 'as uploaded, or null' }),
});
export type DatasetResource = Static<typeof DatasetResource>;
