import { RELIABILITY_BINS, type Reliability, type TaskProfile } from '@steelyard/contracts';
import { topClass } from './metrics.js';
import { type Predictions, predictionsFrom } from './predictions.js';
import { rowLosses } from './row-losses.js';

type Classified = Extract<Predictions, { logits: Float32Array }>;

/** Within which 1/T is looked for, and how often the interval is halved: more often would not change a float64. */
const LEAST = 0.05;
const MOST = 20;
const HALVINGS = 60;

/** The slope over β of the cross entropy of logits β·z, summed over rows and labels, at `beta`. The cross entropy is convex in β. */
function slopeAt({ type, outputs }: TaskProfile, logits: Float32Array, labels: Float64Array, beta: number): number {
	if (type !== 'multiclass') return logits.reduce((sum, z, at) => sum + z * (1 / (1 + Math.exp(-beta * z)) - (labels[at] as number)), 0);
	let slope = 0;
	for (let i = 0; i < labels.length; i++) {
		const row = logits.subarray(i * outputs, (i + 1) * outputs);
		const most = row.reduce((a, b) => Math.max(a, b));
		let [total, weighted] = [0, 0];
		for (const z of row) {
			const e = Math.exp(beta * (z - most));
			total += e;
			weighted += e * z;
		}
		slope += weighted / total - (row[labels[i] as number] as number);
	}
	return slope;
}

/**
 * The temperature T under which the cross entropy of the logits z/T is least (Guo et al. 2017, "On calibration of modern neural networks"), one for all classes or
 * labels. Where no T from 1/20 to 20 is best, as where every prediction is right, it is 1: such rows tell nothing of how sure a model may be.
 *
 * @param logits `[N, outputs]`
 * @param labels raw, `[N]`, of multilabel `[N, labels]`
 */
export function temperatureOf(task: TaskProfile, logits: Float32Array, labels: Float64Array): number {
	let [low, high] = [LEAST, MOST];
	if (slopeAt(task, logits, labels, low) >= 0 || slopeAt(task, logits, labels, high) <= 0) return 1;
	for (let i = 0; i < HALVINGS; i++) {
		const middle = (low + high) / 2;
		if (slopeAt(task, logits, labels, middle) > 0) high = middle;
		else low = middle;
	}
	return 2 / (low + high);
}

/** Of every prediction how sure the model is of it, and whether it is right. */
function* predictionsIn({ type, outputs }: TaskProfile, { probabilities }: Classified, labels: Float64Array): Iterable<[number, boolean]> {
	if (type === 'multilabel') {
		for (const [at, p] of probabilities.entries()) yield [Math.max(p, 1 - p), p > 0.5 === (labels[at] === 1)];
		return;
	}
	const classes = type === 'binary' ? 2 : outputs;
	for (const [i, label] of labels.entries()) {
		const top = topClass(probabilities, classes, i);
		yield [probabilities[i * classes + top] as number, top === label];
	}
}

/** Where intervals end: confidence belongs to the first whose end it does not exceed. */
const ENDS = Array.from({ length: RELIABILITY_BINS }, (_, i) => (i + 1) / RELIABILITY_BINS);

/** How far the confidence of predictions is borne out by raw labels. */
export function reliabilityOf(task: TaskProfile, predictions: Classified, labels: Float64Array): Reliability {
	const sums = ENDS.map(() => ({ count: 0, confidence: 0, right: 0 }));
	for (const [confidence, isRight] of predictionsIn(task, predictions, labels)) {
		const found = ENDS.findIndex((end) => confidence <= end);
		const bin = sums[found === -1 ? RELIABILITY_BINS - 1 : found] as (typeof sums)[number];
		bin.count++;
		bin.confidence += confidence;
		bin.right += isRight ? 1 : 0;
	}
	const count = sums.reduce((sum, bin) => sum + bin.count, 0);
	const losses = rowLosses(task, task.type === 'multiclass' ? 'cross_entropy' : 'binary_cross_entropy', predictions, labels);
	return {
		ece: sums.reduce((sum, { confidence, right }) => sum + Math.abs(right - confidence), 0) / count,
		cross_entropy: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
		bins: sums.map(({ count: of, confidence, right }) => ({
			count: of,
			confidence: of === 0 ? null : confidence / of,
			accuracy: of === 0 ? null : right / of,
		})),
	};
}

/** The predictions that logits of a model stand for before they were divided by a temperature. */
export const uncalibrated = (task: TaskProfile, { logits }: Classified, temperature: number): Classified =>
	predictionsFrom(
		task,
		logits.map((z) => z * temperature),
	) as Classified;
