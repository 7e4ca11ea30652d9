import { type Static, Type } from 'typebox';
import { choice } from './choice.js';
import { CustomConfig } from './custom.js';
import { FuseMoeConfig } from './fuse-moe.js';
import { MlpFusionConfig } from './mlp-fusion.js';
import { MmimMoeConfig } from './mmim-moe.js';
import { WeightingSpec } from './weighting.js';

const closed = { additionalProperties: false } as const;

/** Names of modalities, splits and files: what can stand in a file name and in a graph's value name. */
export const NAME_PATTERN = '^[A-Za-z][A-Za-z0-9_-]{0,62}$';

export const OptimizerConfig = Type.Object(
	{
		name: choice(['sgd', 'momentum', 'adam', 'adamw'], { default: 'adamw' }),
		learning_rate: Type.Number({ exclusiveMinimum: 0, maximum: 100, default: 1e-3 }),
		weight_decay: Type.Number({ minimum: 0, maximum: 10, default: 0, description: 'L2 for sgd, momentum and adam; decoupled for adamw' }),
		momentum: Type.Number({ minimum: 0, exclusiveMaximum: 1, default: 0.9, description: 'for momentum' }),
		beta1: Type.Number({ minimum: 0, exclusiveMaximum: 1, default: 0.9, description: 'for adam, adamw' }),
		beta2: Type.Number({ minimum: 0.5, exclusiveMaximum: 1, default: 0.999, description: 'for adam, adamw' }),
		epsilon: Type.Number({ exclusiveMinimum: 0, maximum: 1, default: 1e-8, description: 'for adam, adamw' }),
	},
	{ ...closed, default: {} },
);
export type OptimizerConfig = Static<typeof OptimizerConfig>;

export const ScheduleConfig = Type.Object(
	{
		name: choice(['constant', 'warmup-cosine', 'plateau'], { default: 'constant' }),
		warmup_fraction: Type.Number({ minimum: 0, maximum: 1, default: 0.05, description: 'of all steps, for warmup-cosine' }),
		final_fraction: Type.Number({ minimum: 0, maximum: 1, default: 0, description: 'of the learning rate at the end, for warmup-cosine' }),
		factor: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, default: 0.5, description: 'the cut, for plateau' }),
		patience: Type.Integer({
			minimum: 0,
			maximum: 10_000,
			default: 3,
			description: 'epochs without a better validation loss, for plateau',
		}),
	},
	{ ...closed, default: {} },
);
export type ScheduleConfig = Static<typeof ScheduleConfig>;

export const EarlyStopping = Type.Object(
	{
		metric: choice(['loss', 'accuracy', 'subset_accuracy', 'macro_f1', 'micro_f1', 'auroc', 'auprc', 'mae', 'rmse', 'pearson'], {
			default: 'loss',
			description: 'subset_accuracy and micro_f1 for multilabel alone; mae, rmse and pearson for regression alone',
		}),
		patience: Type.Integer({ minimum: 1, maximum: 10_000, default: 10, description: 'epochs without a better validation score' }),
	},
	closed,
);
export type EarlyStopping = Static<typeof EarlyStopping>;

export const TrainingConfig = Type.Object(
	{
		epochs: Type.Integer({ minimum: 1, maximum: 100_000, default: 40 }),
		batch_size: Type.Integer({ minimum: 1, maximum: 65_536, default: 32 }),
		optimizer: OptimizerConfig,
		schedule: ScheduleConfig,
		clip_norm: Type.Unsafe<number | null>({
			type: ['number', 'null'],
			exclusiveMinimum: 0,
			default: null,
			description: 'largest global L2 norm of the gradient',
		}),
		early_stopping: Type.Union([EarlyStopping, Type.Null()], { default: { metric: 'loss', patience: 10 } }),
		loss: choice(['auto', 'cross_entropy', 'mse', 'mae'], {
			default: 'auto',
			description:
				'auto: cross_entropy for classes and labels, mse for regression; the cross entropy of a multilabel row is the mean over its labels',
		}),
		standardize: Type.Optional(
			Type.Boolean({
				description:
					'shift and scale every feature by its mean and deviation on the training split, inside the model; true for built-in families unless given, and not there for custom',
			}),
		),
		recompute: Type.Optional(
			choice(['none', 'segments'], {
				description:
					'what a step does with the values inside the model that gradients need: none (unless given): keeps them; segments: keeps some and makes the rest again, for less memory and about a quarter more of time; the results are the same',
			}),
		),
		validation_fraction: Type.Number({
			exclusiveMinimum: 0,
			maximum: 0.5,
			default: 0.2,
			description: 'of the training split, where the dataset has no validation split',
		}),
		modality_dropout: Type.Optional(
			Type.Number({
				minimum: 0,
				exclusiveMaximum: 1,
				description: 'probability with which a training step leaves a modality of an instance out, never all of them; 0 unless given',
			}),
		),
		threads: Type.Integer({
			minimum: 1,
			maximum: 256,
			default: 1,
			description: 'of the runtime; results repeat bit for bit for one count',
		}),
		seed: Type.Integer({ minimum: 0, maximum: 4_294_967_295, default: 1 }),
	},
	{ ...closed, default: {} },
);
export type TrainingConfig = Static<typeof TrainingConfig>;

/** The model of a job: a built-in family by its config, or an uploaded graph. */
export const ModelConfig = Type.Union([MlpFusionConfig, MmimMoeConfig, FuseMoeConfig, CustomConfig], {
	default: {},
	discriminator: { propertyName: 'family' },
});
export type ModelConfig = Static<typeof ModelConfig>;

/** The spec of a job as the service keeps it, with every default filled in. `JobRequest` is what a client posts. */
export const JobSpec = Type.Object(
	{
		dataset: Type.String({ pattern: '^ds_[A-Za-z0-9]{1,40}$' }),
		model: ModelConfig,
		modalities: Type.Optional(
			Type.Array(Type.String({ pattern: NAME_PATTERN }), {
				minItems: 1,
				uniqueItems: true,
				description: 'of the dataset; all of them unless given',
			}),
		),
		weighting: WeightingSpec,
		training: TrainingConfig,
		device: choice(['auto', 'cpu', 'cuda'], { default: 'auto' }),
		metadata: Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 512 }), { default: {}, maxProperties: 16 }),
	},
	closed,
);
export type JobSpec = Static<typeof JobSpec>;
export type Device = JobSpec['device'];
