import { familyOf } from '../families/families.js';
import type { DatasetFields, ModelInterface } from '../families/family.js';
import type { ProblemError } from '../problems.js';
import type { JobSpec } from '../spec.js';
import { informationProblems, weightingProblems } from '../weighting.js';
import { calibrationProblems, thresholdProblems } from './calibration.js';
import { candidateProblem, candidateProblems, candidatesOf, isSingle, modalityCountProblems } from './candidates.js';
import { modalitiesOf, modalityProblems, repetitionProblems } from './modalities.js';
import { classWeightProblems, lossChoiceProblems, lossProblems, metricProblems, positionProblems } from './task.js';
import { warmStartProblems } from './warm-start.js';

/** The most problems that are found of one job: a user mends them a few at a time, and a spec can have thousands. */
const MOST_PROBLEMS = 20;

/** What stands against each of the candidates of `auto`, a problem of several once. */
function* ofCandidates(spec: JobSpec, problems: (candidate: JobSpec) => Iterable<ProblemError>): Iterable<ProblemError> {
	const said = new Set<string>();
	for (const candidate of candidatesOf(spec))
		for (const found of problems(candidate)) {
			const problem = candidateProblem(candidate, found);
			if (!said.has(problem.message)) yield problem;
			said.add(problem.message);
		}
}

/** What is wrong between fields of a spec that are valid one by one: what is left to check when its dataset is not known. */
export function* specProblems(spec: JobSpec): Iterable<ProblemError> {
	if (isSingle(spec)) return yield* fieldProblems(spec);
	yield* candidateProblems(spec);
	yield* ofCandidates(spec, fieldProblems);
}

function* fieldProblems(spec: JobSpec): Iterable<ProblemError> {
	const { model, training, weighting } = spec;
	const { knowsEncoders, specProblems: ofFamily } = familyOf(model);
	yield* repetitionProblems(spec);
	yield* lossChoiceProblems(spec);
	yield* warmStartProblems(spec);
	yield* weightingProblems(weighting, { epochs: training.epochs, knowsEncoders });
	yield* ofFamily?.(model, { training, weighting }) ?? [];
}

function* problemsOf(spec: JobSpec, dataset: DatasetFields, model: ModelInterface | null): Iterable<ProblemError> {
	if (isSingle(spec)) return yield* dataProblems(spec, dataset, model);
	yield* candidateProblems(spec);
	yield* modalityCountProblems(spec, modalitiesOf(spec, dataset));
	yield* ofCandidates(spec, (candidate) => dataProblems(candidate, dataset, model));
}

function* dataProblems(spec: JobSpec, dataset: DatasetFields, model: ModelInterface | null): Iterable<ProblemError> {
	const { training, weighting } = spec;
	const task = dataset.task.type;
	const parts = { training, weighting, dataset, modalities: modalitiesOf(spec, dataset), model };
	yield* fieldProblems(spec);
	yield* modalityProblems(spec, dataset);
	yield* positionProblems(spec, dataset.task);
	yield* lossProblems(spec, dataset.task);
	yield* classWeightProblems(spec, dataset.task);
	yield* informationProblems(weighting, task);
	yield* metricProblems(spec, dataset.task);
	yield* calibrationProblems(spec, dataset.task);
	yield* thresholdProblems(spec, dataset.task);
	yield* familyOf(spec.model).dataProblems?.(spec.model, parts) ?? [];
}

/**
 * What stands against training a job, the most basic first and no more than twenty problems; empty where nothing does.
 *
 * @param spec valid by its schema, every default filled in
 * @param dataset what the profile of the dataset says of its modalities and its task
 * @param model what an uploaded graph takes, gives and learns; null for a built-in family, and where it is not known yet: then what depends on it is not checked
 */
export function admit(spec: JobSpec, dataset: DatasetFields, model: ModelInterface | null): ProblemError[] {
	const problems: ProblemError[] = [];
	for (const problem of problemsOf(spec, dataset, model)) {
		problems.push(problem);
		if (problems.length === MOST_PROBLEMS) break;
	}
	return problems;
}
