import type { TaskType } from '../dataset.js';
import { ProblemError } from '../problems.js';
import type { JobSpec } from '../spec.js';
import { isRefreshed } from '../weighting.js';
import { CLASSES } from './task.js';

/** The choices of the weighting fit the training and the model. */
export function* weightingProblems({ weighting, training: { epochs }, model: { family } }: JobSpec): Iterable<ProblemError> {
	const byEpochs = isRefreshed(weighting) && weighting.refresh !== 'on-improvement' && weighting.refresh_steps === undefined;
	if (byEpochs && weighting.refresh_epochs >= epochs)
		yield new ProblemError(
			'invalid_request',
			`weighting.refresh_epochs must be less than training.epochs (${epochs}), or the weights would never be refreshed; found ${weighting.refresh_epochs}`,
			'weighting.refresh_epochs',
		);
	if (weighting.preset === 'ogm-ge' && family === 'custom')
		yield new ProblemError(
			'invalid_request',
			'ogm-ge modulates the encoders of a built-in family; those of a custom graph are not known',
			'weighting.preset',
		);
}

/** Mutual information by the predicted class needs classes. */
export function* informationProblems({ weighting }: JobSpec, task: TaskType): Iterable<ProblemError> {
	if ('mutual_information' in weighting && weighting.mutual_information === 'argmax' && !CLASSES.includes(task))
		yield new ProblemError('unsupported_task', `argmax mutual information is not for ${task}; choose ksg`, 'weighting.mutual_information');
}
