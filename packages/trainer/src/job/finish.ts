import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
	type JobCurves,
	type JobResult,
	type JobWarning,
	keptStateOf,
	type Metrics,
	type Robustness,
	TRAINING_STATE,
} from '@steelyard/contracts';
import { rawModel, readFeaturiser } from '@steelyard/features';
import { encodeModel } from '@steelyard/onnx';
import { createSession, type Session } from '@steelyard/runtime';
import { summariseWeights } from '@steelyard/weighting';
import type { Architecture, OwnModel, Parameters } from '../model/architecture.js';
import { type Examples, eachLabel, labelsOf, presence, taken } from '../model/examples.js';
import { layoutOf, parametersByName } from '../model/parameter-layout.js';
import { countOf } from '../model/work.js';
import { type EachLabel, labelFacts, positionFacts } from '../report/baseline.js';
import { temperatureOf } from '../report/calibration.js';
import { metricsOf } from '../report/metrics.js';
import { type CardFile, modelCard } from '../report/model-card.js';
import { numbersOf, type Predictions, predictionsFrom } from '../report/predictions.js';
import { thresholdsOf } from '../report/thresholds.js';
import { type ModalityGain, type WarningsInput, warningsOf } from '../report/warnings.js';
import type { Loss } from '../step/loss.js';
import { calibrationOf, calibrationSummary } from './calibration.js';
import { type ChosenModel, chosenModel } from './chosen-model.js';
import { type Evaluation, evaluateModel, evaluateOwnModel } from './evaluate.js';
import { explanationArtifacts, type Judged } from './explanation-artifacts.js';
import { exportModel, type TrainedModel } from './export-graph.js';
import type { TrainOutcome } from './face.js';
import type { FitOutcome } from './fit-model.js';
import { intervalsOf } from './intervals.js';
import type { Job } from './job.js';
import { essenceOf } from './job-state.js';
import { lossName } from './judge-graph.js';
import { mainMetricOf, metricOf } from './metric-of.js';
import { modalityGains } from './modality-gains.js';
import { EvaluationError, overRows } from './over-rows.js';
import { robustnessOf, shownRobustness } from './robustness.js';
import { safetensorsParts } from './safetensors.js';
import { stoppable, throwIfStopped, withRoom } from './stop.js';
import { type JudgedUnimodal, unimodalParameters } from './unimodal-stage.js';
import { unseenValues } from './unseen-values.js';
import { VERSION } from './version.js';
import { writeWhole } from './whole-file.js';

function trainedModel(architecture: Architecture, parameters: Parameters): TrainedModel {
	const { trained, running } = layoutOf(architecture);
	return { architecture, parameters: parametersByName([...trained, ...running], parameters) };
}

/** What is fitted on validation after training; null where it is not. */
type Fitted = { readonly temperature: number | null; readonly thresholds: readonly number[] | null };
const NOTHING_FITTED: Fitted = { temperature: null, thresholds: null };
type Classified = Extract<Predictions, { logits: Float32Array }>;

/** The metadata of an exported model. */
const metadataOf = (
	{ spec, dataset, modalities, task: { quantiles }, initialisation }: Job,
	{ temperature, thresholds }: Fitted,
): Record<string, string> => ({
	'steelyard.version': VERSION,
	'steelyard.dataset_sha256': dataset.profile.sha256,
	'steelyard.modalities': JSON.stringify(modalities.map(({ name }) => name)),
	'steelyard.task': JSON.stringify(dataset.profile.task),
	...(quantiles === undefined ? {} : { 'steelyard.quantiles': JSON.stringify(quantiles) }),
	'steelyard.spec': JSON.stringify(essenceOf(spec)),
	...(temperature === null ? {} : { 'steelyard.temperature': String(temperature) }),
	...(thresholds === null ? {} : { 'steelyard.thresholds': JSON.stringify(thresholds) }),
	...(initialisation.sha256 === null ? {} : { 'steelyard.initialised_from_sha256': initialisation.sha256 }),
});

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

/** A loss with its choices. */
function lossWords(loss: Loss): string {
	const { name, ...choices } = typeof loss === 'string' ? { name: loss } : loss;
	const chosen = Object.entries(choices).flatMap(([choice, value]) =>
		value === null
			? []
			: [`${choice === 'labelSmoothing' ? 'label_smoothing' : choice} ${Array.isArray(value) ? value.join(', ') : value}`],
	);
	return [name.replace('binary_', ''), ...(chosen.length === 0 ? [] : [`(${chosen.join(', ')})`])].join(' ');
}

/** What training minimised, and of which logits. */
function lossText({ loss, classWeights, fusion: { probabilities, ownLoss, auxiliary } }: Job): string {
	if (ownLoss !== null) return `the output "${ownLoss.output}" of the graph`;
	const text = lossWords(loss);
	const ofTask =
		probabilities === null ? text : `${text} of the logits before the ${probabilities.operator} of the output "${probabilities.output}"`;
	const weighed = classWeights === null ? ofTask : `${ofTask}, weighed by class in training`;
	return [weighed, ...auxiliary.map((one) => `${one.weight} · ${lossWords(one.loss)} of the output "${one.name}"`)].join(' + ');
}

/** The file that a job ends with, and how it is run over examples. */
type TrainedFile = {
	readonly bytes: Uint8Array;
	/** The same model with the raw columns of a table as its inputs; null where the dataset was none, and for the user's own file. */
	readonly raw: Uint8Array | null;
	/** What `judge` runs: the file, or the file with one output more. */
	readonly judged: Uint8Array;
	/** The graph that the user uploaded, trained, where it is not that file itself. */
	readonly ownGraph: Uint8Array | null;
	/** Low-rank updates apart, as safetensors; null where there are none. */
	readonly adapters: Uint8Array | null;
	/** Numbers that training found. */
	readonly parameters: number;
	/** Of an uploaded graph. */
	readonly initializers: OwnModel['initializers'] | null;
	/** `ranks`: whether auroc and auprc are wanted; they are unless given. */
	readonly judge: (session: Session, examples: Examples, ranks?: boolean) => Promise<Evaluation>;
};

/** Rank and alpha of a job with low-rank updates. */
function loraMetadata({ spec: { model } }: Job): Record<string, string> {
	const lora = model.family === 'custom' ? model.lora : undefined;
	return lora === undefined ? {} : { rank: String(lora.rank), alpha: String(lora.alpha ?? lora.rank) };
}

/** Exports the trained models: an uploaded graph that nothing weighs as the user's own file, everything else as a model of ours, with what was fitted on validation. */
function trainedFile(job: Job, { parameters, weigher, statistics }: ChosenModel, fitted: Fitted): TrainedFile {
	const { masked, modalities, task, loss, scale, standardisation, weighted } = job;
	const fusion = trainedModel(job.fusion, parameters);
	const unimodal = weigher.needsOutputs
		? job.unimodal.map((architecture, m) => unimodalParameters(job, m).map((own) => trainedModel(architecture, own)))
		: [];
	const count = [fusion, ...unimodal.flat()].reduce((sum, { architecture }) => sum + countOf(architecture.parameters), 0);
	const own = job.fusion.ownModel?.(fusion.parameters) ?? null;
	const adapters = own?.adapters ? Buffer.concat(safetensorsParts(own.adapters, loraMetadata(job))) : null;
	if (own !== null && !weighted)
		return {
			bytes: own.bytes,
			raw: null,
			judged: own.judged,
			ownGraph: null,
			adapters,
			parameters: count,
			initializers: own.initializers,
			judge: (session, examples, ranks = true) => evaluateOwnModel(session, own, examples, { ...job, ranks }),
		};
	const metadata = metadataOf(job, fitted);
	const { model, routers } = exportModel({
		...{ fusion, unimodal, masked, task, scale, standardisation, weigher, statistics, ...fitted, metadata },
	});
	const bytes = encodeModel(model);
	const featuriser = readFeaturiser(job.dataset.folder);
	return {
		bytes,
		raw: featuriser === null ? null : encodeModel(rawModel(featuriser, model)),
		judged: bytes,
		ownGraph: own?.bytes ?? null,
		adapters,
		parameters: count,
		initializers: own?.initializers ?? null,
		judge: (session, examples, ranks = true) =>
			evaluateModel(session, examples, { modalities, masked, task, loss, routers, thresholds: fitted.thresholds, ranks }),
	};
}

/** The splits that the file could be run over, in the order in which results name them, why it could not be run over the others, what each modality adds on validation, and what happens where one breaks; null where the spec does not want that. */
type JudgedSplits = {
	readonly judged: readonly Judged[];
	readonly failed: ReadonlyMap<string, EvaluationError>;
	readonly gains: readonly ModalityGain[];
	readonly robustness: Robustness | null;
};

/** Of positions, whose losses are looked at as they are gathered, and of a graph that gives a loss and no logits. */
const NO_NUMBERS = new Float32Array(0);

/** Opens a file to run it over examples; the session is to be released. */
async function openFile(job: Job, { judged, judge }: Pick<TrainedFile, 'judged' | 'judge'>) {
	const session = stoppable(await createSession(judged, { threads: job.spec.training.threads }), job);
	const evaluate = (examples: Examples): Promise<Evaluation> =>
		overRows(
			examples,
			(places) => judge(session, taken(examples, places)),
			({ predictions }) => (predictions === null ? NO_NUMBERS : numbersOf(predictions)),
		);
	return { session, evaluate };
}

/** What is fitted on validation, as the job asks for it, by running the file as it was trained: first the temperature, then thresholds of the probabilities under it. */
async function fittedOn(job: Job, file: TrainedFile): Promise<Fitted> {
	const { task, spec, validation } = job;
	const { calibration, thresholds } = spec.evaluation ?? {};
	if (calibration !== 'temperature' && thresholds !== 'f1') return NOTHING_FITTED;
	const { session, evaluate } = await openFile(job, file);
	try {
		const { logits } = (await evaluate(validation)).predictions as Classified;
		const labels = labelsOf(validation);
		const temperature = calibration === 'temperature' ? temperatureOf(task, logits, labels) : null;
		const divided = predictionsFrom(task, temperature === null ? logits : logits.map((z) => z / temperature)) as Classified;
		return { temperature, thresholds: thresholds === 'f1' ? thresholdsOf(divided.probabilities, labels, task.outputs) : null };
	} finally {
		await session.release();
	}
}

/** Runs the file over every split of the job. Throws EvaluationError where it fails for training or validation, which it was chosen by. */
async function judgedSplits(
	job: Job,
	{ judged: file, judge }: TrainedFile,
	{ unimodal, outcome: { epochs } }: Pick<Finish, 'unimodal' | 'outcome'>,
): Promise<JudgedSplits> {
	const { session, evaluate } = await openFile(job, { judged: file, judge });
	try {
		const judged: Judged[] = [];
		for (const examples of [job.train, job.validation]) judged.push({ examples, evaluation: await evaluate(examples) });
		const failed = new Map<string, EvaluationError>();
		for (const examples of job.others) {
			try {
				judged.push({ examples, evaluation: await evaluate(examples) });
			} catch (error) {
				if (!(error instanceof EvaluationError)) throw error;
				failed.set(examples.name, error);
			}
		}
		const gains = await modalityGains(
			job,
			judged[1] as Judged,
			async (examples) => (await judge(session, examples)).predictions as Predictions,
		);
		const isWanted = job.spec.evaluation?.robustness ?? true;
		const robustness = isWanted
			? await robustnessOf(job, { judge: (examples, ranks) => judge(session, examples, ranks), judged, unimodal, epochs })
			: null;
		return { judged, failed, gains, robustness };
	} finally {
		await session.release();
	}
}

/** What a split lacks whose rows a model cannot judge: the metrics of the trained model, or where only unimodal models fail, theirs. */
const failureWarning = ({ message, split, row }: EvaluationError, of: string): JobWarning => ({
	code: 'evaluation_failed',
	message: `${message}; the split ${split} has no ${of}`,
	advice: 'Mend or remove that row and post the job again, or judge the split by running model.onnx over the other rows.',
	split,
	...(row === null ? {} : { row }),
});

/** How far each modality counted over the rows of a split that have it. */
function modalityWeightsOf(
	{ modalities }: Job,
	{ weigher, statistics }: ChosenModel,
	{ examples, evaluation }: Judged,
): JobResult['modality_weights'] {
	const information = weigher.information(statistics);
	const present = modalities.map((modality) => presence(examples, modality));
	const summary = summariseWeights(evaluation.weights, { rows: examples.rows.length, modalities: modalities.length }, present);
	const named = modalities.map(({ name }, m) => [name, { ...summary[m], mutual_information: information?.[m] ?? null }]);
	return Object.fromEntries(named) as JobResult['modality_weights'];
}

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

/** What is to be said of the trained model; of one that gives no predictions there is nothing to say. */
function modelWarnings(
	job: Job,
	chosen: ChosenModel,
	outcome: Finish['outcome'],
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

/** Whether a manifest says that the task is a regression. */
const meansValues = (manifest: unknown): boolean => (manifest as { task?: { type?: unknown } } | null)?.task?.type === 'regression';

/** Artifacts that hold no times, so that equal jobs give them the same bytes. */
const TIMELESS = [
	'model.onnx',
	'model-features.onnx',
	'graph.onnx',
	'adapters.safetensors',
	'explanation.parquet',
	'diagnostics.json',
	'robustness.json',
];

function cardFiles(artifacts: Readonly<Record<string, Uint8Array | string>>): CardFile[] {
	return TIMELESS.flatMap((name) => {
		const content = artifacts[name];
		if (content === undefined) return [];
		const bytes = typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength;
		return [{ name, bytes, sha256: createHash('sha256').update(content).digest('hex') }];
	});
}

/** What a user who did not train the model should know of it, as Markdown. */
function cardOf(job: Job, result: JobResult, robustness: Robustness | null, reported: Judged, files: readonly CardFile[]): string {
	const { dataset, spec, task, train, validation, others, fusion, modalities } = job;
	return modelCard({
		version: VERSION,
		dataset: dataset.profile,
		grouped: train.split.groups !== null,
		spec,
		task,
		splits: [train, validation, ...others].map((examples) => ({
			name: examples.name,
			rows: examples.rows.length,
			labels: fusion.positions === null && task.positions === undefined ? labelsOf(examples) : null,
		})),
		modalities: modalities.map(({ name }) => name),
		result,
		robustness,
		metric: mainMetricOf(spec, reported.evaluation.metrics),
		reported: reported.examples.name,
		files,
	});
}

type Finish = {
	output: string;
	outcome: Extract<FitOutcome, { status: 'done' }>;
	unimodal: JudgedUnimodal | null;
	deviceNote: string | null;
	/** Of `performance.now`, when the attempt began. */
	started: number;
};

/** Exports the model, judges it by running the exported graph on every split, and writes the artifacts. */
export async function finish(job: Job, ending: Finish): Promise<TrainOutcome> {
	const { output, outcome, unimodal, deviceNote, started } = ending;
	const { spec, dataset, emit } = job;
	const { header } = job.state;
	emit({ type: 'stage', stage: 'evaluating' });
	throwIfStopped(job);
	const chosen = chosenModel(job, outcome);
	const asTrained = trainedFile(job, chosen, NOTHING_FITTED);
	const fitted = await fittedOn(job, asTrained);
	const file = fitted === NOTHING_FITTED ? asTrained : trainedFile(job, chosen, fitted);
	const { judged, failed, gains, robustness } = await judgedSplits(job, file, ending);
	const calibration = calibrationOf(job, judged, fitted.temperature);
	const reported = (judged.find(({ examples }) => examples.name === 'test') ?? judged[1]) as Judged;

	const unimodalOnly = [...(unimodal?.failed.values() ?? [])].filter(({ split }) => !failed.has(split));
	const warnings: JobWarning[] = [
		...[...failed.values()].map((error) => failureWarning(error, 'metrics')),
		...unimodalOnly.map((error) => failureWarning(error, 'metrics of single modalities')),
		...modelWarnings(job, chosen, outcome, judged, reported, gains),
	];
	for (const warning of warnings) emit({ type: 'warning', ...warning });
	const intervals = intervalsOf(job, judged);

	emit({ type: 'stage', stage: 'exporting' });
	const brokenModalities = robustness && shownRobustness(robustness, reported.examples.name);
	const result: JobResult = {
		metrics: Object.fromEntries(judged.map(({ examples, evaluation }) => [examples.name, evaluation.metrics])),
		intervals,
		warnings,
		unimodal: unimodal?.metrics ?? {},
		modality_weights: modalityWeightsOf(job, chosen, reported),
		...expertUseOf(reported.evaluation),
		...(brokenModalities === null ? {} : { robustness: brokenModalities }),
		loss: lossText(job),
		...(calibration === null ? {} : { calibration: calibrationSummary(calibration) }),
		...thresholdsIn(job, fitted),
		...classWeightsIn(job),
		...initializersIn(file),
		...(job.initialisation.told === null ? {} : { initialised: job.initialisation.told }),
		best_epoch: chosen.epoch,
		epochs: outcome.epochs,
		parameters: file.parameters,
		seconds: (performance.now() - started) / 1000,
		device: job.provider,
		device_note: deviceNote,
	};
	const curves: JobCurves = { object: 'metrics', epochs: header.epochs, weights: header.weights };
	const artifacts: Record<string, Uint8Array | string> = {
		...(file.raw === null ? { 'model.onnx': file.bytes } : { 'model.onnx': file.raw, 'model-features.onnx': file.bytes }),
		...(file.ownGraph === null ? {} : { 'graph.onnx': file.ownGraph }),
		...(file.adapters === null ? {} : { 'adapters.safetensors': file.adapters }),
		'report.json': `${JSON.stringify({ version: VERSION, spec, dataset: dataset.profile, result }, null, '\t')}\n`,
		'metrics.json': `${JSON.stringify(curves)}\n`,
		...(calibration === null ? {} : { 'calibration.json': `${JSON.stringify(calibration)}\n` }),
		...explanationArtifacts(job, judged, unimodal, reported.examples.name),
		...(robustness === null ? {} : { 'robustness.json': `${JSON.stringify(robustness, null, '\t')}\n` }),
	};
	artifacts['report.md'] = cardOf(job, result, robustness, reported, cardFiles(artifacts));
	for (const [name, content] of Object.entries(artifacts)) {
		throwIfStopped(job);
		await withRoom(job, () => writeWhole(join(output, name), content));
	}
	throwIfStopped(job);
	const kept = keptStateOf(spec.training) === 'none' ? [] : [TRAINING_STATE];
	return { status: 'done', result, artifacts: [...Object.keys(artifacts), ...kept] };
}
