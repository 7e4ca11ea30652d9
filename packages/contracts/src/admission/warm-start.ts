import type { DatasetProfile } from '../dataset.js';
import type { JobResource } from '../job.js';
import { ProblemError } from '../problems.js';
import type { JobSpec } from '../spec.js';
import { keptStateOf, TRAINING_STATE, warmStartOf } from '../warm-start.js';

const PARAM = 'training.initialise_from';

/** The job that another one begins with. */
export type SourceJob = Pick<JobResource, 'id' | 'status' | 'spec' | 'artifacts'>;

/** A warm start that takes the state of the optimizer takes the parameters that belong to it. */
export function* warmStartProblems({ training }: JobSpec): Iterable<ProblemError> {
	const start = warmStartOf(training);
	if (start?.optimizer === true && start.parameters !== 'last')
		yield new ProblemError(
			'invalid_request',
			`${PARAM}.optimizer belongs to the parameters of the last epoch; found parameters ${start.parameters}: choose last, or leave optimizer out`,
			`${PARAM}.parameters`,
		);
}

/** What decides about the meaning of the state that an optimizer keeps. */
const SAME = ['name', 'momentum', 'beta1', 'beta2'] as const;

function* optimizerProblems({ training }: JobSpec, { id, spec: source }: SourceJob): Iterable<ProblemError> {
	if (keptStateOf(source.training) !== 'optimizer')
		yield new ProblemError(
			'job_not_usable',
			`${id} kept no state of its optimizer, because its training.keep_state is ${source.training.keep_state}; leave ${PARAM}.optimizer out`,
			`${PARAM}.optimizer`,
		);
	for (const field of SAME)
		if (training.optimizer[field] !== source.training.optimizer[field])
			yield new ProblemError(
				'job_not_usable',
				`The state of an optimizer goes on with the same ${field}: training.optimizer.${field} is ${training.optimizer[field]}, and that of ${id} ${source.training.optimizer[field]}; leave ${PARAM}.optimizer out to begin with a new one`,
				`training.optimizer.${field}`,
			);
}

/** Rows that a model was trained on are not to validate it: where they are cut from the training rows, the cut is the same. */
function* validationProblems(spec: JobSpec, { id, spec: source }: SourceJob, { splits }: Pick<DatasetProfile, 'splits'>) {
	if (spec.dataset !== source.dataset || Object.hasOwn(splits, 'valid')) return;
	for (const field of ['seed', 'validation_fraction'] as const)
		if (spec.training[field] !== source.training[field])
			yield new ProblemError(
				'invalid_request',
				`training.${field} must be ${source.training[field]}, as in ${id}, found ${spec.training[field]}: the dataset has no validation split, and another cut would validate by rows that the parameters were trained on`,
				`training.${field}`,
			);
}

/**
 * What stands against beginning a job with the parameters of another one, as far as the records tell. Whether any parameter fits is seen when both models are built.
 *
 * @param source the job that the spec names, of the same project; null where there is none
 */
export function* sourceProblems(spec: JobSpec, source: SourceJob | null, dataset: Pick<DatasetProfile, 'splits'>): Iterable<ProblemError> {
	const start = warmStartOf(spec.training);
	if (start === null) return;
	if (source === null) {
		yield new ProblemError('job_not_found', `There is no job ${start.job}: it was deleted, or never existed`, PARAM);
		return;
	}
	const { id, status, artifacts } = source;
	if (status !== 'succeeded') {
		const remedy = status === 'cancelled' ? '; a cancelled job can be resumed' : '';
		yield new ProblemError(
			'job_not_usable',
			`${id} is ${status}: only a job that has succeeded has parameters to begin with${remedy}`,
			PARAM,
		);
		return;
	}
	if (!artifacts.some(({ name }) => name === TRAINING_STATE))
		yield new ProblemError(
			'job_not_usable',
			`${id} has no ${TRAINING_STATE}: its training.keep_state is none, or an earlier version trained it`,
			PARAM,
		);
	if (source.spec.model.family !== spec.model.family)
		yield new ProblemError(
			'job_not_usable',
			`${id} trained a model of the family ${source.spec.model.family}, and this job trains ${spec.model.family}: no parameter of one fits the other`,
			'model.family',
		);
	if (start.optimizer) yield* optimizerProblems(spec, source);
	yield* validationProblems(spec, source, dataset);
}
