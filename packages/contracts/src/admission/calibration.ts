import type { TaskProfile } from '../dataset.js';
import { ProblemError } from '../problems.js';
import type { JobSpec } from '../spec.js';

const PARAM = 'evaluation.calibration';
const THRESHOLDS = 'evaluation.thresholds';

/** Thresholds are of the labels of rows, in a model that the service writes. */
export function* thresholdProblems({ model, weighting, evaluation }: JobSpec, { type, positions }: TaskProfile): Iterable<ProblemError> {
	if (evaluation?.thresholds !== 'f1') return;
	if (type !== 'multilabel' || positions !== undefined)
		yield new ProblemError('unsupported_task', `${THRESHOLDS} f1 is for multilabel, and the task is ${type}; choose half`, THRESHOLDS);
	else if (model.family === 'custom' && weighting.preset === 'uniform')
		yield new ProblemError(
			'invalid_request',
			`${THRESHOLDS} f1 changes the predictions of the exported model, and without weighting that is your own graph, which stays as it is; choose half`,
			THRESHOLDS,
		);
}

/** A temperature divides the logits of a model that the service writes, of rows that have classes or labels. */
export function* calibrationProblems({ model, weighting, evaluation }: JobSpec, { type, positions }: TaskProfile): Iterable<ProblemError> {
	if (evaluation?.calibration !== 'temperature') return;
	if (type === 'regression')
		yield new ProblemError(
			'unsupported_task',
			`${PARAM} temperature is for probabilities, and a regression gives none; choose none`,
			PARAM,
		);
	else if (positions !== undefined)
		yield new ProblemError(
			'unsupported_task',
			`${PARAM} temperature is for one prediction per row, and the dataset has a label for each position; choose none`,
			PARAM,
		);
	else if (model.family === 'custom' && weighting.preset === 'uniform')
		yield new ProblemError(
			'invalid_request',
			`${PARAM} temperature changes the probabilities of the exported model, and without weighting that is your own graph, whose outputs stay as they are; choose none`,
			PARAM,
		);
}
