import type { TaskProfile } from '../dataset.js';
import { familyOf } from '../families/families.js';
import { listed } from '../listed.js';
import { choiceProblems, choicesOf, type LossChoices, type LossName } from '../loss.js';
import { ProblemError } from '../problems.js';
import type { JobSpec } from '../spec.js';
import type { TaskType } from '../task-type.js';

type Metric = NonNullable<JobSpec['training']['early_stopping']>['metric'];

const MULTILABEL: readonly TaskType[] = ['multilabel'];
/** The tasks whose labels are classes. */
const CLASSES: readonly TaskType[] = ['binary', 'multiclass', ...MULTILABEL];
const REGRESSION: readonly TaskType[] = ['regression'];

/** The tasks that a loss is for. */
const LOSSES: Record<Exclude<LossName, 'auto'>, readonly TaskType[]> = {
	cross_entropy: CLASSES,
	focal: CLASSES,
	mse: REGRESSION,
	mae: REGRESSION,
	huber: REGRESSION,
	quantile: REGRESSION,
};

/** The tasks that a metric of early stopping is for. */
const METRICS: Record<Exclude<Metric, 'loss'>, readonly TaskType[]> = {
	accuracy: CLASSES,
	subset_accuracy: MULTILABEL,
	macro_f1: CLASSES,
	micro_f1: MULTILABEL,
	mean_iou: ['binary', 'multiclass'],
	auroc: CLASSES,
	auprc: CLASSES,
	mae: REGRESSION,
	rmse: REGRESSION,
	pearson: REGRESSION,
};

/**
 * The loss of a job with its choices, and the field that chooses it: a family may have a field of its own, which counts before that of the training. Where a graph
 * computes its own loss it is `auto`, by which its predictions are judged.
 */
export function lossOf({ model, training }: JobSpec): { loss: LossChoices; param: string } {
	const own = 'loss' in model ? model.loss : undefined;
	return { loss: choicesOf(own ?? training.loss), param: own === undefined ? 'training.loss' : 'model.loss' };
}

/** The names in a table that are for a task, as a message lists them. */
const choicesFor = (table: Record<string, readonly TaskType[]>, task: TaskType): string =>
	Object.keys(table)
		.filter((name) => table[name]?.includes(task))
		.join(', ');

/** Every choice of a loss is one that the loss has, and a model of quantiles is one whose head Steelyard makes. */
export function* lossChoiceProblems(spec: JobSpec): Iterable<ProblemError> {
	const { loss, param } = lossOf(spec);
	if (Object.hasOwn(loss, 'output')) return; // of the graph itself: its family says what goes with it
	yield* choiceProblems(loss, param);
	if (loss.name === 'quantile' && spec.model.family === 'custom')
		yield new ProblemError(
			'invalid_request',
			'The loss quantile is for the built-in families; a graph of your own gives its quantiles as it likes, and computes their pinball loss itself (model.loss.output)',
			param,
		);
}

/** The loss is one for the task of the dataset. */
export function* lossProblems(spec: JobSpec, { type: task, positions }: TaskProfile): Iterable<ProblemError> {
	const { loss, param } = lossOf(spec);
	const { name, alpha } = loss;
	if (name !== 'auto' && !LOSSES[name].includes(task))
		yield new ProblemError(
			'unsupported_task',
			`The loss ${name} is not for ${task}; choose one of auto, ${choicesFor(LOSSES, task)}`,
			param,
		);
	else if (name === 'quantile' && positions !== undefined)
		yield new ProblemError(
			'unsupported_task',
			`The loss quantile is for one label of each row, and the dataset has one for each position, [${positions.join(', ')}]; choose one of auto, mse, mae, huber`,
			param,
		);
	if (alpha !== undefined && task === 'multiclass')
		yield new ProblemError(
			'unsupported_task',
			`${param}.alpha tells what is true from what is not, for binary and multilabel; leave it out for multiclass`,
			`${param}.alpha`,
		);
}

/** Classes are weighed where every row or position has one, by names of the dataset, and in a loss that is not computed by the graph itself. */
export function* classWeightProblems(spec: JobSpec, { type, classes }: TaskProfile): Iterable<ProblemError> {
	const { class_weights: given } = spec.training;
	if (given === undefined) return;
	const param = 'training.class_weights';
	if (type !== 'binary' && type !== 'multiclass')
		yield new ProblemError(
			'unsupported_task',
			`${param} is for binary and multiclass, and the task is ${type}${type === 'multilabel' ? '; alpha of the loss focal weighs what applies against what does not' : ''}`,
			param,
		);
	else if (Object.hasOwn(lossOf(spec).loss, 'output'))
		yield new ProblemError('invalid_request', `${param} is for a built-in loss, and the graph computes its loss itself`, param);
	else if (typeof given === 'object')
		for (const name of Object.keys(given))
			if (!classes.includes(name))
				yield new ProblemError('invalid_request', `The dataset has no class "${name}"; it has ${listed(classes)}`, `${param}.${name}`);
}

/** Of positions there are too many to rank, and of rows nothing but the class. */
const NOT_OF = { positions: ['auroc', 'auprc'], rows: ['mean_iou'] };

/** The metric of early stopping is one for the task of the dataset. */
export function* metricProblems(
	{ training: { early_stopping: stopping } }: JobSpec,
	{ type, positions }: TaskProfile,
): Iterable<ProblemError> {
	const labelled = positions === undefined ? 'rows' : 'positions';
	const metrics = Object.fromEntries(Object.entries(METRICS).filter(([name]) => !NOT_OF[labelled].includes(name)));
	if (stopping === null || stopping.metric === 'loss' || metrics[stopping.metric]?.includes(type)) return;
	const task = positions === undefined ? type : `${type} of positions`;
	yield new ProblemError(
		'unsupported_task',
		`The metric ${stopping.metric} is not for ${task}; choose one of loss, ${choicesFor(metrics, type)}`,
		'training.early_stopping.metric',
	);
}

/** Labels of positions are for a model that gives an output for each of them, and the one weighting that asks for no prediction per instance. */
export function* positionProblems(spec: JobSpec, { positions }: TaskProfile): Iterable<ProblemError> {
	if (positions === undefined) return;
	const { model, weighting } = spec;
	if (familyOf(model).givesPositions !== true)
		yield new ProblemError(
			'unsupported_task',
			`The dataset has a label for each position of an instance, [${positions.join(', ')}], and ${model.family} predicts one per instance; use a graph of your own, family custom`,
			'model.family',
		);
	if (weighting.preset !== 'uniform')
		yield new ProblemError(
			'unsupported_task',
			`${weighting.preset} weighs by the prediction of an instance, and the dataset has a label for each of its positions; choose uniform`,
			'weighting.preset',
		);
}
