import type { Diagnostics, JobTask, Metrics, PairInformation, TaskProfile, TrainedLoss } from '@steelyard/contracts';
import { partialInformation } from '@steelyard/weighting';
import { type Discrete, discrete } from './discrete.js';
import { higherIsBetter, metricsOf } from './metrics.js';
import { type Predictions, predictionsFrom } from './predictions.js';

/** Above so many classes the search of the decomposition takes seconds, and its tables are emptier than a plug-in estimate allows. */
const MOST_CLASSES = 20;
/** Nats; the estimate itself is further from the truth for any number of instances that a split has. */
const TOLERANCE = 1e-5;
/** Above so many the pairs, which are a matter of two modalities at a time, are too many to take. */
const MOST_MODALITIES = 12;

/** The outputs of the models for the N examples of a split. */
export type DiagnosedSplit = {
	readonly name: string;
	/** Raw, `[N]` or `[N, labels]`. */
	readonly labels: Float64Array;
	/** Per modality 1 or 0 for each example, `[N]`; null where all examples have it. */
	readonly present: ReadonlyArray<Uint8Array | null>;
	/** Of the fused model. */
	readonly fused: Predictions;
	/** Outputs of each unimodal model, `[N, outputs]`: logits, or values. */
	readonly outputs: readonly Float32Array[];
};

export type DiagnosticsInput = {
	readonly task: JobTask;
	/** What training minimised. */
	readonly loss: TrainedLoss;
	readonly modalities: readonly string[];
	/** Modality → split → metrics over the rows that have it; null where the weighting trains no unimodal models. */
	readonly unimodal: Diagnostics['unimodal'];
	/** What the best unimodal model is chosen by. */
	readonly metric: string;
	/** `train` and `validation` among them. */
	readonly splits: readonly DiagnosedSplit[];
};

/** The numbers of the rows that `kept` accepts, of rows of `width` numbers each. */
const rowsOf = <T extends Float32Array | Float64Array>(values: T, width: number, kept: (i: number) => boolean): T =>
	values.filter((_, at) => kept(Math.floor(at / width))) as T;

const predictionRows = (task: TaskProfile, predictions: Predictions, kept: (i: number) => boolean): Predictions =>
	'values' in predictions
		? {
				values: rowsOf(predictions.values, 1, kept),
				...(predictions.quantiles === undefined ? {} : { quantiles: rowsOf(predictions.quantiles, task.outputs, kept) }),
			}
		: {
				...predictions,
				logits: rowsOf(predictions.logits, task.outputs, kept),
				probabilities: rowsOf(predictions.probabilities, task.type === 'binary' ? 2 : task.outputs, kept),
			};

const labelWidth = (task: TaskProfile): number => (task.type === 'multilabel' ? task.outputs : 1);

/** The modality whose model is best by the metric on validation, the first of equals; null where no model has it. */
function bestOf(modalities: readonly string[], unimodal: NonNullable<Diagnostics['unimodal']>, metric: string): string | null {
	const sign = higherIsBetter(metric) ? 1 : -1;
	const scoreOf = (name: string): number => {
		const value = unimodal[name]?.['validation']?.[metric] ?? null;
		return value === null ? Number.NEGATIVE_INFINITY : sign * value;
	};
	const best = modalities.reduce((a, b) => (scoreOf(b) > scoreOf(a) ? b : a));
	return scoreOf(best) === Number.NEGATIVE_INFINITY ? null : best;
}

/** What fusion adds to the model of modality m on a split; null where no row has the modality. */
function gainOver({ task, loss }: DiagnosticsInput, split: DiagnosedSplit, m: number): { rows: number; gain: Metrics } | null {
	const there = (i: number): boolean => split.present[m]?.[i] !== 0;
	const labels = rowsOf(split.labels, labelWidth(task), there);
	if (labels.length === 0) return null;
	const alone = rowsOf(split.outputs[m] as Float32Array, task.outputs, there);
	const fused = metricsOf(task, predictionRows(task, split.fused, there), labels, loss);
	const unimodal = metricsOf(task, predictionsFrom(task, alone), labels, loss);
	// of neither is more or less better by itself
	const judging = Object.entries(fused).filter(([name]) => name !== 'coverage' && name !== 'interval_width');
	const gain = judging.map(([name, value]): [string, number | null] => {
		const other = unimodal[name] ?? null;
		if (value === null || other === null) return [name, null];
		return [name, higherIsBetter(name) ? value - other : other - value];
	});
	return { rows: labels.length / labelWidth(task), gain: Object.fromEntries(gain) };
}

/** The decomposition for modalities a and b on a split, over the rows that have both; null where none has. */
function pairInformation(
	{ values }: Discrete,
	modalities: readonly string[],
	{ present }: DiagnosedSplit,
	sequences: { labels: Int32Array[]; predicted: Int32Array[][] },
	[a, b]: [number, number],
): PairInformation | null {
	const count = sequences.labels[0]?.length ?? 0;
	const both = Array.from({ length: count }, (_, i) => i).filter((i) => present[a]?.[i] !== 0 && present[b]?.[i] !== 0);
	if (both.length === 0) return null;
	const parts = sequences.labels.map((labels, k) => {
		const [first, second] = [sequences.predicted[a]?.[k] as Int32Array, sequences.predicted[b]?.[k] as Int32Array];
		const counts = new Float64Array(values ** 3);
		for (const i of both) {
			const cell = ((labels[i] as number) * values + (first[i] as number)) * values + (second[i] as number);
			counts[cell] = (counts[cell] as number) + 1;
		}
		return partialInformation(counts, { targets: values, first: values, second: values }, TOLERANCE);
	});
	const mean = (of: (part: (typeof parts)[number]) => number): number => parts.reduce((sum, part) => sum + of(part), 0) / parts.length;
	return {
		rows: both.length,
		redundant: mean(({ redundant }) => redundant),
		unique: { [modalities[a] as string]: mean(({ unique }) => unique[0]), [modalities[b] as string]: mean(({ unique }) => unique[1]) },
		synergistic: mean(({ synergistic }) => synergistic),
		total: mean(({ total }) => total),
		gap: mean(({ gap }) => gap),
	};
}

function pairsOf({ task, modalities, splits }: DiagnosticsInput): Diagnostics['partial_information'] {
	const training = splits.find(({ name }) => name === 'train') as DiagnosedSplit;
	const values = discrete(task, training.labels);
	const judged = splits
		.filter((split) => split !== training)
		.map((split) => ({
			split,
			sequences: {
				labels: values.labels(split.labels),
				predicted: split.outputs.map((output) => values.predictions(predictionsFrom(task, output))),
			},
		}));
	const pairs = modalities.flatMap((first, a) =>
		modalities.slice(a + 1).map((second, k) => ({
			modalities: [first, second] as [string, string],
			splits: Object.fromEntries(
				judged.map(({ split, sequences }) => [split.name, pairInformation(values, modalities, split, sequences, [a, a + 1 + k])]),
			),
		})),
	);
	return { cuts: values.cuts && [...values.cuts], pairs };
}

/** Why there is no decomposition; null where there is one. */
function tooMuch({ task, modalities }: DiagnosticsInput): string | null {
	if (task.type === 'multiclass' && task.outputs > MOST_CLASSES)
		return `partial information is decomposed for up to ${MOST_CLASSES} classes; this task has ${task.outputs}`;
	if (modalities.length > MOST_MODALITIES)
		return `partial information is decomposed for the pairs of up to ${MOST_MODALITIES} modalities; this job has ${modalities.length}`;
	return null;
}

/** How good each modality is alone, what fusion adds to the best of them, and what pairs share; see the type `Diagnostics` of @steelyard/contracts. */
export function diagnose(input: DiagnosticsInput): Diagnostics {
	const { modalities, unimodal, metric, splits } = input;
	const nothing = { unimodal: null, best_unimodal: null, fusion_gain: null, partial_information: null };
	const head = { object: 'diagnostics' as const, modalities: [...modalities] };
	if (unimodal === null) return { ...head, reason: 'this weighting trains no unimodal models', ...nothing };
	const best = bestOf(modalities, unimodal, metric);
	const gains = splits.flatMap((split) => {
		const gain = best === null ? null : gainOver(input, split, modalities.indexOf(best));
		return gain === null ? [] : [[split.name, gain] as const];
	});
	const refusal = tooMuch(input);
	const unjudged = best === null ? `no unimodal model has the metric ${metric} on validation` : null;
	const reasons = [unjudged, refusal].filter((reason) => reason !== null);
	return {
		...head,
		reason: reasons.length === 0 ? null : reasons.join('; '),
		unimodal,
		best_unimodal: best === null ? null : { modality: best, metric },
		fusion_gain: best === null ? null : Object.fromEntries(gains),
		partial_information: refusal === null ? pairsOf(input) : null,
	};
}
