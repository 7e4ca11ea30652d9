import type { TaskType } from '../dataset.js';
import { ProblemError } from '../problems.js';
import type { JobSpec } from '../spec.js';

type Loss = JobSpec['training']['loss'];
type Metric = NonNullable<JobSpec['training']['early_stopping']>['metric'];

const MULTILABEL: readonly TaskType[] = ['multilabel'];
/** The tasks whose labels are classes. */
const CLASSES: readonly TaskType[] = ['binary', 'multiclass', ...MULTILABEL];
const REGRESSION: readonly TaskType[] = ['regression'];

/** The tasks that a loss is for. */
const LOSSES: Record<Exclude<Loss, 'auto'>, readonly TaskType[]> = { cross_entropy: CLASSES, mse: REGRESSION, mae: REGRESSION };

/** The tasks that a metric of early stopping is for. */
const METRICS: Record<Exclude<Metric, 'loss'>, readonly TaskType[]> = {
	accuracy: CLASSES,
	subset_accuracy: MULTILABEL,
	macro_f1: CLASSES,
	micro_f1: MULTILABEL,
	auroc: CLASSES,
	auprc: CLASSES,
	mae: REGRESSION,
	rmse: REGRESSION,
	pearson: REGRESSION,
};

/** The loss of a job, and the field that chooses it: a family may have a field of its own, which counts before that of the training. */
export function lossOf({ model, training }: JobSpec): { loss: Loss; param: string } {
	const own = 'loss' in model ? model.loss : undefined;
	return own === undefined ? { loss: training.loss, param: 'training.loss' } : { loss: own, param: 'model.loss' };
}

/** The names in a table that are for a task, as a message lists them. */
const choicesFor = (table: Record<string, readonly TaskType[]>, task: TaskType): string =>
	Object.keys(table)
		.filter((name) => table[name]?.includes(task))
		.join(', ');

/** The loss is one for the task of the dataset. */
export function* lossProblems(spec: JobSpec, task: TaskType): Iterable<ProblemError> {
	const { loss, param } = lossOf(spec);
	if (loss === 'auto' || LOSSES[loss].includes(task)) return;
	const choices = choicesFor(LOSSES, task);
	yield new ProblemError('unsupported_task', `The loss ${loss} is not for ${task}; choose one of auto, ${choices}`, param);
}

/** The metric of early stopping is one for the task of the dataset. */
export function* metricProblems({ training: { early_stopping: stopping } }: JobSpec, task: TaskType): Iterable<ProblemError> {
	if (stopping === null || stopping.metric === 'loss' || METRICS[stopping.metric].includes(task)) return;
	yield new ProblemError(
		'unsupported_task',
		`The metric ${stopping.metric} is not for ${task}; choose one of loss, ${choicesFor(METRICS, task)}`,
		'training.early_stopping.metric',
	);
}
