import { type Static, Type } from 'typebox';
import { choice } from './choice.js';
import { ClassWeights } from './class-weights.js';
import { ModelConfig } from './families/families.js';
import { idPattern } from './id.js';
import { lossSchema } from './loss.js';
import { MOST_MODALITIES, NAME } from './name-pattern.js';
import { metadata, resourceName } from './naming.js';
import { Notify } from './notify.js';
import { Requires } from './requires.js';
import { KEPT_STATES, warmStartSchema } from './warm-start.js';
import { WeightingSpec } from './weighting.js';

const closed = { additionalProperties: false } as const;

export const OptimizerConfig = Type.Object(
	{
		name: choice(['sgd', 'momentum', 'adam', 'adamw'], { default: 'adamw', description: 'the update rule, with the results of PyTorch' }),
		learning_rate: Type.Number({ exclusiveMinimum: 0, maximum: 100, default: 1e-3, description: 'where the schedule begins' }),
		weight_decay: Type.Number({
			minimum: 0,
			maximum: 10,
			default: 0,
			description: 'an L2 penalty for sgd, momentum and adam; decoupled from the gradient for adamw',
		}),
		momentum: Type.Number({ minimum: 0, exclusiveMaximum: 1, default: 0.9, description: 'decay of the velocity, for momentum' }),
		beta1: Type.Number({ minimum: 0, exclusiveMaximum: 1, default: 0.9, description: 'decay of the mean gradient, for adam and adamw' }),
		beta2: Type.Number({
			minimum: 0.5,
			exclusiveMaximum: 1,
			default: 0.999,
			description: 'decay of the mean squared gradient, for adam and adamw',
		}),
		epsilon: Type.Number({
			exclusiveMinimum: 0,
			maximum: 1,
			default: 1e-8,
			description: 'added to the root of the mean squared gradient, for adam and adamw',
		}),
	},
	{ ...closed, default: {}, description: 'how parameters follow their gradients' },
);
export type OptimizerConfig = Static<typeof OptimizerConfig>;

export const ScheduleConfig = Type.Object(
	{
		name: choice(['constant', 'warmup-cosine', 'plateau'], {
			default: 'constant',
			description: 'the form of the learning rate over the steps',
		}),
		warmup_fraction: Type.Number({
			minimum: 0,
			maximum: 1,
			default: 0.05,
			description: 'share of all steps in which the learning rate rises, for warmup-cosine',
		}),
		final_fraction: Type.Number({
			minimum: 0,
			maximum: 1,
			default: 0,
			description: 'share of the learning rate that is left at the end, for warmup-cosine',
		}),
		factor: Type.Number({
			exclusiveMinimum: 0,
			exclusiveMaximum: 1,
			default: 0.5,
			description: 'what the learning rate is multiplied by when the loss no longer falls, for plateau',
		}),
		patience: Type.Integer({
			minimum: 0,
			maximum: 10_000,
			default: 3,
			description: 'epochs without a lower validation loss before the learning rate is cut, for plateau',
		}),
	},
	{ ...closed, default: {}, description: 'how the learning rate changes while training' },
);
export type ScheduleConfig = Static<typeof ScheduleConfig>;

export const EarlyStopping = Type.Object(
	{
		metric: choice(
			['loss', 'accuracy', 'subset_accuracy', 'macro_f1', 'micro_f1', 'mean_iou', 'auroc', 'auprc', 'mae', 'rmse', 'pearson'],
			{
				default: 'loss',
				description:
					'the validation metric that chooses the best epoch; subset_accuracy and micro_f1 exist for multilabel only, mae, rmse and pearson for regression only, mean_iou only where positions have labels, auroc and auprc only where they have none',
			},
		),
		patience: Type.Integer({
			minimum: 1,
			maximum: 10_000,
			default: 10,
			description: 'epochs without a better validation score before training ends',
		}),
	},
	closed,
);
export type EarlyStopping = Static<typeof EarlyStopping>;

/** The types in which the products of training are computed. */
export const PRECISIONS = ['float32', 'float16', 'bfloat16'] as const;
export type Precision = (typeof PRECISIONS)[number];

export const TrainingConfig = Type.Object(
	{
		epochs: Type.Integer({
			minimum: 1,
			maximum: 100_000,
			default: 40,
			description: 'most passes over the training rows, of each model of the job',
		}),
		batch_size: Type.Integer({ minimum: 1, maximum: 65_536, default: 32, description: 'rows of one optimizer step' }),
		optimizer: OptimizerConfig,
		schedule: ScheduleConfig,
		clip_norm: Type.Unsafe<number | null>({
			type: ['number', 'null'],
			exclusiveMinimum: 0,
			default: null,
			description: 'largest L2 norm of all gradients together, to which longer ones are scaled down; null does not clip',
		}),
		early_stopping: Type.Union([EarlyStopping, Type.Null()], {
			default: { metric: 'loss', patience: 10 },
			description: 'ends training when validation no longer improves; null trains all epochs, and the best one is then chosen by the loss',
		}),
		loss: lossSchema({
			default: 'auto',
			description:
				'what training minimises and what the loss of every metric is, by name or as an object with choices; auto means cross_entropy for classes and labels and mse for regression; of a multilabel row it is the mean over its labels',
		}),
		class_weights: Type.Optional(ClassWeights),
		standardize: Type.Optional(
			Type.Boolean({
				description:
					'whether the model shifts and scales every feature by its mean and standard deviation on the training rows; true for the built-in families unless given, and refused for custom, whose graph takes raw values',
			}),
		),
		recompute: Type.Optional(
			choice(['none', 'segments'], {
				description:
					'what a step does with the intermediate values that gradients need: none (unless given) keeps all of them; segments keeps some and computes the rest a second time, which takes less memory and more time and gives the same results',
			}),
		),
		precision: Type.Optional(
			choice(PRECISIONS, {
				description:
					'the type that the products of matrices and convolutions of a training step read and give: float32 (unless given), or float16 or bfloat16 as under autocast of PyTorch, float16 with a scale of the loss that follows from the gradients; parameters, everything else and the exported model are float32; for GPUs: on the CPU the numbers are rounded alike, which takes longer',
			}),
		),
		validation_fraction: Type.Number({
			exclusiveMinimum: 0,
			maximum: 0.5,
			default: 0.2,
			description: 'share of the training split that validates, where the dataset has no validation split',
		}),
		modality_dropout: Type.Optional(
			Type.Number({
				minimum: 0,
				exclusiveMaximum: 1,
				description:
					'probability with which a training step leaves out a modality of an instance; at least one of them always stays; 0 unless given',
			}),
		),
		initialise_from: Type.Optional(
			warmStartSchema(
				'what the parameters begin with, instead of numbers that are drawn or those of the upload: those of a job that has succeeded, by its id or as an object; what fits by name and shape is taken, which `result.initialised` tells',
			),
		),
		keep_state: Type.Optional(
			choice(KEPT_STATES, {
				description:
					'what the job keeps as training-state.safetensors for jobs that begin with its parameters: optimizer (unless given), the parameters of the best and of the last epoch and what the optimizer keeps, which is 16 bytes a trained number with adam and adamw, 12 with momentum and 8 with sgd; parameters, which is 8; or none',
			}),
		),
		threads: Type.Integer({
			minimum: 1,
			maximum: 256,
			default: 1,
			description: 'threads of ONNX Runtime, at most the cores of the largest worker; equal jobs give equal bits only under equal counts',
		}),
		seed: Type.Integer({ minimum: 0, maximum: 4_294_967_295, default: 1, description: 'of every random number that the job draws' }),
	},
	{ ...closed, default: {}, description: 'how all models of the job are trained' },
);
export type TrainingConfig = Static<typeof TrainingConfig>;

/** How the trained model is judged, and what is done with it before it is exported. */
export const EvaluationConfig = Type.Object(
	{
		calibration: Type.Optional(
			choice(['none', 'temperature'], {
				description:
					'whether the logits of the exported model are divided by the temperature under which their cross entropy on validation is least (Guo et al. 2017): its probabilities are then those that validation bears out, and its decisions stay; for binary, multiclass and multilabel; none unless given',
			}),
		),
		thresholds: Type.Optional(
			choice(['half', 'f1'], {
				description:
					'above which probability the exported model predicts a label, for multilabel: half (unless given), or f1, which finds for each label the threshold under which its F1 on validation is greatest',
			}),
		),
		robustness: Type.Optional(
			Type.Boolean({
				description:
					'whether the exported model is also run with each modality missing, shuffled and noisy, which robustness.json tells of; true unless given',
			}),
		),
		robustness_rows: Type.Optional(
			Type.Integer({
				minimum: 20,
				maximum: 100_000,
				description:
					'the most rows of a split that are run for it, drawn at random; unless given at most 1000, and as many as take about a tenth of the training',
			}),
		),
	},
	{ ...closed, description: 'how the trained model is judged, and what is done with it before it is exported' },
);

/** The spec of a job as the service keeps it, with every default filled in. `JobRequest` is what a client posts. */
export const JobSpec = Type.Object(
	{
		dataset: Type.String({ pattern: idPattern('ds'), description: 'id of an uploaded dataset' }),
		model: ModelConfig,
		modalities: Type.Optional(
			Type.Array(Type.String(NAME), {
				minItems: 1,
				maxItems: MOST_MODALITIES,
				description:
					'the modalities of the dataset that the model sees, each once; unless given, those of model.inputs for custom and all of them for other families',
			}),
		),
		weighting: WeightingSpec,
		training: TrainingConfig,
		evaluation: Type.Optional(EvaluationConfig),
		device: choice(['auto', 'cpu', 'cuda', 'webgpu'], {
			default: 'auto',
			description:
				'auto takes CUDA where the worker has it, else a GPU by WebGPU where that is faster for the model, else the CPU; webgpu takes any adapter, one in software as well',
		}),
		requires: Type.Optional(Requires),
		priority: Type.Optional(
			Type.Integer({
				minimum: -100,
				maximum: 100,
				description: 'of the queued jobs of a project those with a higher priority begin first; 0 unless given',
			}),
		),
		max_seconds: Type.Optional(
			Type.Integer({
				minimum: 1,
				maximum: 1_000_000_000,
				description:
					'the seconds for which the job may run, in all its attempts together; a job that takes longer fails as time_limit; any number unless given, but no more than STEELYARD_JOB_SECONDS of its worker',
			}),
		),
		notify: Type.Optional(Notify),
		name: Type.Optional(
			resourceName('what you call the job: 1 to 200 characters of one line; it can be changed, and means nothing to the training'),
		),
		metadata: metadata({
			default: {},
			description: 'texts of your own by name, which the job keeps and does not read; they can be changed',
		}),
	},
	{ ...closed, description: 'the job as posted, with every default filled in, and with the name and the metadata that it has now' },
);
export type JobSpec = Static<typeof JobSpec>;
export type Device = JobSpec['device'];
