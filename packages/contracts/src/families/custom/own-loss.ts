import { listed } from '../../listed.js';
import { ProblemError } from '../../problems.js';
import type { DatasetFields, JobFields, ModelInterface } from '../family.js';
import { type CustomConfig, ownLossOf } from './config.js';
import type { Given } from './given.js';
import { misfit } from './misfit.js';
import { TRAINED } from './parameters.js';
import { shown } from './shapes.js';

const invalid = (message: string, param: string): ProblemError => new ProblemError('invalid_request', message, param);

/** The fields of a loss that the graph computes go together; without one, the output that holds the logits is named. */
export function* lossFieldProblems(config: CustomConfig, { training, weighting }: JobFields): Iterable<ProblemError> {
	const { output, labels, loss } = config;
	if (typeof loss === 'object' && loss.name === undefined && loss.output === undefined)
		yield invalid('model.loss.name is required, or model.loss.output where the graph computes its loss itself', 'model.loss.name');
	const own = ownLossOf(config);
	if (own === undefined) {
		if (output === undefined)
			yield invalid(
				'model.output is required: the output that holds the logits or values; only a loss in model.loss.output needs none',
				'model.output',
			);
		if (labels !== undefined)
			yield invalid(
				'model.labels is for a graph that computes its loss itself: name that in model.loss.output, or leave model.labels out',
				'model.labels',
			);
		return;
	}
	const [other] = Object.keys(loss as object).filter((name) => name !== 'output');
	if (other !== undefined)
		yield invalid(`model.loss.${other} is for a built-in loss; the loss is the output "${own}" of the graph`, `model.loss.${other}`);
	if (weighting.preset !== 'uniform')
		yield invalid(
			`${weighting.preset} weighs by a built-in loss of single rows, and the graph computes the loss of a batch itself; choose uniform`,
			'weighting.preset',
		);
	const metric = training.early_stopping?.metric ?? 'loss';
	if (output === undefined && metric !== 'loss')
		yield invalid(
			`${metric} is a metric of predictions: name the output that holds them in model.output, or choose loss`,
			'training.early_stopping.metric',
		);
}

/** The labels of a task as what an input of the graph is given: classes and flags as whole numbers. */
export const givenLabels = (input: string, { type, outputs, positions, ignore_index: ignored = 0 }: DatasetFields['task']): Given => ({
	input,
	what: 'the label',
	param: 'model.labels',
	shapes: positions !== undefined ? [['batch', ...positions]] : type === 'multilabel' ? [['batch', outputs]] : [['batch'], ['batch', 1]],
	instance: null,
	profile:
		type === 'regression'
			? null
			: {
					shape: [],
					masked: false,
					missing: 0,
					dtype: 'int32',
					min: Math.min(0, ignored),
					max: type === 'multiclass' ? outputs - 1 : 1,
					whole: true,
				},
});

/** The type of the input for the labels can hold them. */
function* labelProblems(name: string, { inputs }: ModelInterface, { type, outputs }: DatasetFields['task']): Iterable<ProblemError> {
	const dtype = inputs.find((one) => one.name === name)?.dtype ?? 'float32'; // an input that is not there is said where inputs are given what they take
	if (type === 'regression' && !dtype.includes('float'))
		yield misfit(`The input "${name}" of the model takes ${dtype}, but the labels are values; expected float32`, 'model.labels');
	if (type === 'multiclass' && dtype === 'bool')
		yield misfit(
			`The input "${name}" of the model takes bool, but the labels are classes from 0 to ${outputs - 1}; expected int64`,
			'model.labels',
		);
}

/** Of a graph that computes its loss itself: the loss is one number, and the input for the labels can take them. */
export function* ownLossProblems(config: CustomConfig, model: ModelInterface, task: DatasetFields['task']): Iterable<ProblemError> {
	const name = ownLossOf(config);
	if (name === undefined) return;
	const loss = model.outputs.find((one) => one.name === name);
	const param = 'model.loss.output';
	if (loss === undefined) {
		yield misfit(`The model has no output "${name}"; its outputs are ${listed(model.outputs.map((one) => one.name))}`, param);
		return;
	}
	if (!TRAINED.includes(loss.dtype))
		yield misfit(`The output "${name}" of the model is ${loss.dtype}; expected ${TRAINED.join(', ')}`, param);
	if (loss.shape.some((dim) => dim !== 1))
		yield misfit(
			`The output "${name}" of the model has the shape ${shown(loss.shape)}; a loss is one number, []: take the mean over the batch`,
			param,
		);
	if (name === config.output)
		yield misfit(
			`"${name}" is the loss itself; name the output that holds the logits or values, or leave model.output out`,
			'model.output',
		);
	if (task.positions !== undefined && config.output !== undefined)
		yield misfit(
			'The dataset has a label for each position, of which a loss in the graph has no further metrics: leave model.output out',
			'model.output',
		);
	if (config.labels !== undefined) yield* labelProblems(config.labels, model, task);
}
