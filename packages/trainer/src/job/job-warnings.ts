import type { JobWarning, Metrics } from '@steelyard/contracts';
import { type Examples, eachLabel, labelsOf } from '../model/examples.js';
import { type EachLabel, labelFacts, positionFacts } from '../report/baseline.js';
import { metricsOf } from '../report/metrics.js';
import { type ModalityGain, type WarningsInput, warningsOf } from '../report/warnings.js';
import type { ChosenModel } from './chosen-model.js';
import type { Ending } from './ending.js';
import type { Evaluation } from './evaluate.js';
import type { Judged } from './explanation-artifacts.js';
import type { Job } from './job.js';
import { lossName } from './judge-graph.js';
import type { JudgedSplits } from './judged-splits.js';
import { metricOf } from './metric-of.js';
import { modalityWeightsOf } from './modality-weights.js';
import type { EvaluationError } from './over-rows.js';
import { unseenValues } from './unseen-values.js';

/** What a split lacks whose rows a model cannot judge: the metrics of the trained model, or where only unimodal models fail, theirs. */
const failureWarning = ({ message, split, row }: EvaluationError, of: string): JobWarning => ({
	code: 'evaluation_failed',
	message: `${message}; the split ${split} has no ${of}`,
	advice: 'Mend or remove that row and post the job again, or judge the split by running model.onnx over the other rows.',
	split,
	...(row === null ? {} : { row }),
});

/** The labels of all positions that count. */
const countedLabels =
	(examples: Examples, isValue: boolean): EachLabel =>
	(visit) =>
		eachLabel(examples, isValue, visit);

/** The name of the loss of `model.output` among the metrics of a job. */
const mainLossName = ({ fusion }: Job): string => (fusion.auxiliary.length === 0 ? 'loss' : lossName(fusion.output as string));

/** What warnings look at of training and validation; null where there is nothing to compare, as where a graph gives its loss alone, or no position counts. */
function comparedIn(job: Job, judged: readonly Judged[]): Pick<WarningsInput, 'facts' | 'train' | 'validation'> | null {
	const { task, loss, fusion, train, validation } = job;
	const evaluationOf = ({ name }: Examples): Evaluation => (judged.find(({ examples }) => examples.name === name) as Judged).evaluation;
	const [there, here] = [evaluationOf(train), evaluationOf(validation)];
	/** With the loss of `model.output` alone. */
	const ofTask = ({ metrics }: Evaluation): Metrics => ({ ...metrics, loss: metrics[mainLossName(job)] ?? null });
	if (fusion.positions !== null && fusion.ownLoss === null) {
		const isValue = task.type === 'regression';
		const facts = positionFacts(task, loss, countedLabels(train, isValue), countedLabels(validation, isValue));
		return facts && { facts, train: { metrics: ofTask(there) }, validation: { metrics: ofTask(here), rows: null } };
	}
	if (there.predictions === null || here.predictions === null) return null;
	const [trainLabels, labels] = [labelsOf(train), labelsOf(validation)];
	// a loss of the graph itself may not be that of the predictions
	const [trainMetrics, metrics] =
		fusion.ownLoss === null
			? [ofTask(there), ofTask(here)]
			: [metricsOf(task, there.predictions, trainLabels, loss), metricsOf(task, here.predictions, labels, loss)];
	return {
		facts: labelFacts(task, loss, trainLabels, labels),
		train: { metrics: trainMetrics },
		validation: { metrics, rows: { labels, predictions: here.predictions } },
	};
}

/** Whether a manifest says that the task is a regression. */
const meansValues = (manifest: unknown): boolean => (manifest as { task?: { type?: unknown } } | null)?.task?.type === 'regression';

/** What is to be said of the trained model; of one that gives no predictions there is nothing to say. */
function modelWarnings(
	job: Job,
	chosen: ChosenModel,
	outcome: Ending['outcome'],
	judged: readonly Judged[],
	reported: Judged,
	gains: readonly ModalityGain[],
): JobWarning[] {
	const compared = comparedIn(job, judged);
	if (compared === null) return [];
	const loss = mainLossName(job);
	return warningsOf({
		task: job.task,
		...compared,
		minimisesLoss: job.fusion.ownLoss === null,
		weights: job.weighted && !chosen.guarded ? modalityWeightsOf(job, chosen, reported) : {},
		epoch: chosen.epoch,
		guarded: chosen.guarded,
		metric: metricOf(job.spec),
		fusion: outcome,
		validationLosses: job.state.header.epochs.flatMap(({ stage, validation: of }) => (stage === 'fusion' ? [of[loss] ?? null] : [])),
		gains,
		unseen: unseenValues(job),
		valuesAreMeant: meansValues(job.dataset.manifest),
	});
}

/** What warnings are found in. */
type WarnedParts = { readonly chosen: ChosenModel; readonly ending: Ending; readonly splits: JudgedSplits; readonly reported: Judged };

/** What is to be said of a job that has ended: splits that could not be judged, by the trained model or by unimodal ones alone, and then the model. */
export function jobWarnings(
	job: Job,
	{ chosen, ending: { outcome, unimodal }, splits: { judged, failed, gains }, reported }: WarnedParts,
): JobWarning[] {
	const unimodalOnly = [...(unimodal?.failed.values() ?? [])].filter(({ split }) => !failed.has(split));
	return [
		...[...failed.values()].map((error) => failureWarning(error, 'metrics')),
		...unimodalOnly.map((error) => failureWarning(error, 'metrics of single modalities')),
		...modelWarnings(job, chosen, outcome, judged, reported, gains),
	];
}
