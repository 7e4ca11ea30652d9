import { type Static, Type } from 'typebox';
import { choice } from '../../choice.js';
import { idPattern } from '../../id.js';
import { LOSS_NAMES, LossChoices, lossSchema } from '../../loss.js';
import { MOST_MODALITIES, NAME, type NameRule } from '../../name-pattern.js';
import { recordOf } from '../../record.js';
import type { ClassAxis } from './positions.js';
import { Scaling } from './scaling.js';

const VALUE_NAME = Type.String({ minLength: 1, maxLength: 512 });
const OUTPUT_NAME: NameRule = { pattern: '^[\\s\\S]{1,512}$', description: '1 to 512 characters' };
const byModality = { maxProperties: MOST_MODALITIES };
const globs = (description: string) => Type.Optional(Type.Array(VALUE_NAME, { minItems: 1, maxItems: 1000, description }));

/** A loss by name, or one that the graph computes. */
const CustomLoss = Type.Object(
	{
		...LossChoices.properties,
		name: Type.Optional(LossChoices.properties.name),
		output: Type.Optional(
			Type.String({
				minLength: 1,
				maxLength: 512,
				description: 'instead of a name, the output of the graph that is the loss of a batch: one number, such as a mean over the rows',
			}),
		),
	},
	{ additionalProperties: false },
);

/** An output of the graph that is trained beside `model.output`. */
const AuxiliaryOutput = Type.Object(
	{
		labels: Type.String({
			minLength: 1,
			maxLength: 512,
			description:
				'what it is compared with, in raw values: a modality of the dataset, also one that is no input, or "labels" for the labels of the task',
		}),
		loss: Type.Optional(
			lossSchema({
				description: 'its loss, by name or as an object with choices; cross_entropy for integers and mse for values unless given',
			}),
		),
		weight: Type.Optional(
			Type.Number({ minimum: 0, maximum: 1e9, description: 'the factor of its loss in what training minimises; 1 unless given' }),
		),
		class_axis: Type.Optional(
			Type.Unsafe<ClassAxis>({
				enum: [-1, 1],
				description: 'as model.class_axis, where a row has several classes and the shape of the output allows both',
			}),
		),
	},
	{ additionalProperties: false },
);
export type AuxiliaryOutput = Static<typeof AuxiliaryOutput>;

/** Config of the family `custom`: an ONNX forward graph that the user uploaded. */
export const CustomConfig = Type.Object(
	{
		family: choice(['custom'], { description: 'an ONNX graph that you uploaded' }),
		model: Type.String({ pattern: idPattern('mdl'), description: 'id of an uploaded model that is ready' }),
		inputs: recordOf(NAME, VALUE_NAME, {
			...byModality,
			minProperties: 1,
			description: 'by modality, the input of the graph, [batch, …], that takes its raw values',
		}),
		scale: Type.Optional(
			recordOf(NAME, Scaling, {
				...byModality,
				description:
					'by modality, how its raw values are scaled before the input of the graph, (x · factor − mean) / std in float32; the trained file does that too, and its input takes the type of the dataset',
			}),
		),
		masks: Type.Optional(
			recordOf(NAME, VALUE_NAME, {
				...byModality,
				description: 'by modality, the input, [batch] or [batch, steps], that takes its mask of 0 and 1',
			}),
		),
		labels: Type.Optional(
			Type.String({
				minLength: 1,
				maxLength: 512,
				description:
					'with loss.output, the input that takes the labels: [batch] or [batch, 1], of a multilabel task [batch, labels], where positions have labels [batch, …positions]; none where the loss needs no labels',
			}),
		),
		output: Type.Optional(
			Type.String({
				minLength: 1,
				maxLength: 512,
				description:
					'the output that holds the logits, [batch, outputs] (of a binary task [batch], [batch, 1] or [batch, 2]), or the values, [batch] or [batch, 1]; where positions have labels [batch, …positions, classes] or [batch, classes, …positions]; required but with loss.output, where it adds the metrics of predictions',
			}),
		),
		class_axis: Type.Optional(
			Type.Unsafe<ClassAxis>({
				enum: [-1, 1],
				description:
					'where positions have labels, the axis of the output along which their classes lie: -1 for the last, 1 for the one behind the batch; needed only where its shape allows both',
			}),
		),
		outputs: Type.Optional(
			recordOf(OUTPUT_NAME, AuxiliaryOutput, {
				minProperties: 1,
				maxProperties: 64,
				description:
					'by name, the outputs that are trained beside model.output: for each number of the labels one value or logit, [batch, …], or one logit for each class, [batch, …, classes] or [batch, classes, …]; training minimises the loss of model.output and the sum of theirs, each times its weight',
			}),
		),
		trainable: globs(
			'names of parameters to train, where * stands for any characters; those that inspection found trainable unless given, and none with lora; a name in full trains that initializer whatever inspection found',
		),
		frozen: globs('names of parameters that stay as they are, also where trainable names them'),
		lora: Type.Optional(
			Type.Object(
				{
					match: Type.Array(VALUE_NAME, {
						minItems: 1,
						maxItems: 1000,
						description: 'names of the matrices, of a MatMul or Gemm, that get an update, where * stands for any characters',
					}),
					rank: Type.Integer({ minimum: 1, maximum: 4096, description: 'columns of A and rows of B' }),
					alpha: Type.Optional(
						Type.Number({ exclusiveMinimum: 0, maximum: 1e6, description: 'the update is alpha/rank times A·B; the rank unless given' }),
					),
				},
				{
					additionalProperties: false,
					description:
						'trains low-rank updates A·B of matrices, and of all other parameters only those that trainable names; the trained file holds their sum',
				},
			),
		),
		embeddings: Type.Optional(
			recordOf(NAME, VALUE_NAME, {
				...byModality,
				description:
					'by modality, the value of the graph, [batch, …], that its weight multiplies, where the graph has no input w.<modality>',
			}),
		),
		batch_norm: choice(['train', 'frozen'], {
			default: 'train',
			description:
				'what batch normalisation does in training: train uses the statistics of the batch and moves the running ones; frozen keeps the running ones as uploaded',
		}),
		loss: Type.Optional(
			Type.Union([choice(LOSS_NAMES), CustomLoss], {
				description: 'the loss, instead of training.loss, by name, as an object with choices, or as an output of the graph',
			}),
		),
	},
	{ additionalProperties: false },
);
export type CustomConfig = Static<typeof CustomConfig>;

/** The output that holds the loss, where the graph computes it. */
export const ownLossOf = ({ loss }: Pick<CustomConfig, 'loss'>): string | undefined => (typeof loss === 'object' ? loss.output : undefined);
