import {
	checkJobSpec,
	checkTimeColumns,
	type DatasetResource,
	type JobSpec,
	type ModelReport,
	type ModelResource,
	ProblemError,
	type TaskType,
	type WorkerStatus,
} from '@steelyard/contracts';

import { admitCustom } from './custom-admission.js';

type Metric = NonNullable<JobSpec['training']['early_stopping']>['metric'];
type Loss = JobSpec['training']['loss'];

const MULTILABEL: readonly TaskType[] = ['multilabel'];
const CLASSES: readonly TaskType[] = ['binary', 'multiclass', ...MULTILABEL];
const REGRESSION: readonly TaskType[] = ['regression'];

const LOSSES: Record<Exclude<Loss, 'auto'>, readonly TaskType[]> = { cross_entropy: CLASSES, mse: REGRESSION, mae: REGRESSION };
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

/** The names that fit a task, for the message of a refusal. */
const fitting = (table: Record<string, readonly TaskType[]>, task: TaskType) =>
	Object.keys(table).filter((name) => table[name]?.includes(task));

function checkTask({ model, training: { loss: common, early_stopping: stopping }, weighting }: JobSpec, task: TaskType): void {
	const own = model.family === 'custom' ? model.loss : undefined;
	const loss = own ?? common;
	if (loss !== 'auto' && !LOSSES[loss].includes(task)) {
		const choices = ['auto', ...fitting(LOSSES, task)].join(', ');
		throw new ProblemError(
			'unsupported_task',
			`The loss ${loss} is not for ${task}; choose one of ${choices}`,
			own === undefined ? 'training.loss' : 'model.loss',
		);
	}
	if ('mutual_information' in weighting && weighting.mutual_information === 'argmax' && !CLASSES.includes(task)) {
		throw new ProblemError('unsupported_task', `argmax mutual information is not for ${task}; choose ksg`, 'weighting.mutual_information');
	}
	if (stopping !== null && stopping.metric !== 'loss' && !METRICS[stopping.metric].includes(task)) {
		const choices = ['loss', ...fitting(METRICS, task)].join(', ');
		throw new ProblemError(
			'unsupported_task',
			`The metric ${stopping.metric} is not for ${task}; choose one of ${choices}`,
			'training.early_stopping.metric',
		);
	}
}

/** CUDA is refused where every live worker says that it has none; where none is live the job waits, and the worker that takes it decides. */
function checkDevice({ device }: JobSpec, workers: readonly WorkerStatus[]): void {
	if (device !== 'cuda' || workers.length === 0 || workers.some(({ devices }) => devices.cuda.available)) return;
	const notes = new Set(workers.map(({ devices }) => devices.cuda.note ?? 'no reason given'));
	throw new ProblemError('device_unavailable', `No worker can train on CUDA: ${[...notes].join('; ')}`, 'device');
}

/** What a spec names. `model`: the uploaded one of the family `custom`, null where there is none. */
export type Named = { dataset: DatasetResource; model: ModelResource | null };

/** The report of a model that can be trained. Throws ProblemError. */
function readyReport(id: string, model: ModelResource | null): ModelReport {
	if (model === null) throw new ProblemError('model_not_found', `There is no model ${id}`, 'model.model');
	if (model.status === 'inspecting')
		throw new ProblemError('model_not_ready', `${id} is still being inspected; try again in a while`, 'model.model');
	if (model.status === 'refused' || model.report === null)
		throw new ProblemError('invalid_model', `${id} was refused: ${model.error?.message ?? 'it has no report'}`, 'model.model');
	return model.report;
}

/** Holds a spec against the dataset and the model that it names and the workers that could take it. Throws ProblemError with the field. */
export function admit(spec: JobSpec, { dataset, model }: Named, workers: readonly WorkerStatus[]): void {
	const { modalities, task } = dataset;
	checkJobSpec(spec);
	const missing = (spec.modalities ?? []).findIndex((name) => !Object.hasOwn(modalities, name));
	if (missing >= 0) {
		const has = Object.keys(modalities).join(', ');
		throw new ProblemError(
			'modality_not_found',
			`The dataset has no modality ${spec.modalities?.[missing]}; it has ${has}`,
			`modalities.${missing}`,
		);
	}
	checkTask(spec, task.type);
	if (spec.model.family === 'fuse-moe') checkTimeColumns(spec.model, modalities);
	if (spec.model.family === 'custom') admitCustom(spec, spec.model, dataset, readyReport(spec.model.model, model));
	checkDevice(spec, workers);
}
