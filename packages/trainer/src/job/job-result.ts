import type { Calibration, JobResult, JobWarning } from '@steelyard/contracts';
import { calibrationSummary } from './calibration.js';
import type { ChosenModel } from './chosen-model.js';
import type { Ending } from './ending.js';
import type { Evaluation } from './evaluate.js';
import type { Judged } from './explanation-artifacts.js';
import type { Job } from './job.js';
import type { JudgedSplits } from './judged-splits.js';
import { lossText } from './loss-text.js';
import { modalityWeightsOf } from './modality-weights.js';
import { shownRobustness } from './robustness.js';
import type { Fitted, TrainedFile } from './trained-file.js';

/** Of a model with experts, how much each router uses each of them. */
const expertUseOf = ({ expertUse }: Evaluation): Pick<JobResult, 'expert_use'> =>
	Object.keys(expertUse).length === 0
		? {}
		: { expert_use: Object.fromEntries(Object.entries(expertUse).map(([router, shares]) => [router, [...shares]])) };

/** The most names of a list in a result. */
const MOST_NAMES = 100;

/** Above which probability each label is predicted, where that was tuned. */
const thresholdsIn = ({ task }: Job, { thresholds }: Fitted): Pick<JobResult, 'thresholds'> =>
	thresholds === null
		? {}
		: { thresholds: Object.fromEntries(thresholds.slice(0, MOST_NAMES).map((value, c) => [task.classes[c] ?? String(c), value])) };

/** How much each class counted in training, where classes were weighed. */
const classWeightsIn = ({ task, classWeights }: Job): Pick<JobResult, 'class_weights'> =>
	classWeights === null
		? {}
		: { class_weights: Object.fromEntries(classWeights.slice(0, MOST_NAMES).map((weight, c) => [task.classes[c] ?? String(c), weight])) };

/** How many steps of all models were skipped, where any could be. */
const skippedIn = ({ spec, state }: Job, { outcome }: Ending): Pick<JobResult, 'skipped_steps'> =>
	spec.training.precision === 'float16' ? { skipped_steps: state.header.skippedSteps + outcome.skipped } : {};

/** What was trained of an uploaded graph, and what was not. */
const initializersIn = ({ initializers }: TrainedFile): Pick<JobResult, 'initializers'> =>
	initializers === null
		? {}
		: {
				initializers: {
					trained: initializers.trained.length,
					trained_names: initializers.trained.slice(0, MOST_NAMES),
					kept: initializers.kept.length,
					kept_names: initializers.kept.slice(0, MOST_NAMES),
				},
			};

/** What a result is made of. */
export type ResultParts = {
	readonly chosen: ChosenModel;
	readonly file: TrainedFile;
	readonly fitted: Fitted;
	readonly ending: Ending;
	readonly splits: JudgedSplits;
	/** The split whose figures count. */
	readonly reported: Judged;
	readonly calibration: Calibration | null;
	readonly intervals: NonNullable<JobResult['intervals']>;
	readonly warnings: readonly JobWarning[];
};

/** The result of a job. */
export function jobResult(job: Job, parts: ResultParts): JobResult {
	const { chosen, file, fitted, ending, splits, reported, calibration, intervals, warnings } = parts;
	const { judged, robustness } = splits;
	const brokenModalities = robustness && shownRobustness(robustness, reported.examples.name);
	return {
		metrics: Object.fromEntries(judged.map(({ examples, evaluation }) => [examples.name, evaluation.metrics])),
		intervals,
		warnings: [...warnings],
		unimodal: ending.unimodal?.metrics ?? {},
		modality_weights: modalityWeightsOf(job, chosen, reported),
		...expertUseOf(reported.evaluation),
		...(brokenModalities === null ? {} : { robustness: brokenModalities }),
		...(ending.weightingChoice === undefined ? {} : { weighting_choice: ending.weightingChoice }),
		loss: lossText(job),
		...(calibration === null ? {} : { calibration: calibrationSummary(calibration) }),
		...thresholdsIn(job, fitted),
		...classWeightsIn(job),
		...initializersIn(file),
		...(job.initialisation.told === null ? {} : { initialised: job.initialisation.told }),
		best_epoch: chosen.epoch,
		epochs: ending.outcome.epochs,
		...skippedIn(job, ending),
		parameters: file.parameters,
		seconds: (performance.now() - ending.started) / 1000,
		device: job.provider,
		device_note: ending.deviceNote,
	};
}
