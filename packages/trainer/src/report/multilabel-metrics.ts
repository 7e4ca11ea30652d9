import type { Metrics } from '@steelyard/contracts';
import { rankingMetrics } from './ranking-metrics.js';

/** A label is predicted where its probability is above this, unless thresholds were tuned. */
export const LABEL_THRESHOLD = 0.5;

const meanOf = (values: readonly number[]): number | null =>
	values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

const isNumber = (value: number | null): value is number => value !== null;

/** 2·tp / (2·tp + fp + fn); null where the label is neither given nor predicted. */
const f1 = (hits: number, given: number, predicted: number): number | null =>
	given + predicted === 0 ? null : (2 * hits) / (given + predicted);

/**
 * Metrics, beside the loss, of probabilities `[N, labels]` against labels `[N, labels]` of 0 and 1, N at least 1; a label is predicted where its probability is above its threshold, or ½.
 *
 * - accuracy: share of right labels (1 − Hamming loss); subset_accuracy: share of rows whose labels are all right
 * - macro_f1: mean of F1 over labels that are given or predicted somewhere; micro_f1: F1 of all labels together; null where there is none
 * - auroc, auprc: mean over labels that some rows have and some have not; null where there is none, and without `ranks`
 */
export function multilabelMetrics(
	probabilities: Float32Array,
	labels: Float64Array,
	width: number,
	{ thresholds, ranks = true }: { thresholds?: readonly number[]; ranks?: boolean } = {},
): Omit<Metrics, 'loss'> {
	const rows = labels.length / width;
	const [hits, given, predicted] = [new Float64Array(width), new Float64Array(width), new Float64Array(width)];
	let [right, whole] = [0, 0];
	for (let i = 0; i < labels.length; i += width) {
		let rightHere = 0;
		for (let c = 0; c < width; c++) {
			const [p, label] = [probabilities[i + c] as number, labels[i + c] as number];
			const decision = p > (thresholds?.[c] ?? LABEL_THRESHOLD) ? 1 : 0;
			if (decision === label) rightHere++;
			given[c] = (given[c] as number) + label;
			predicted[c] = (predicted[c] as number) + decision;
			hits[c] = (hits[c] as number) + label * decision;
		}
		right += rightHere;
		if (rightHere === width) whole++;
	}
	const total = (counts: Float64Array): number => counts.reduce((sum, count) => sum + count, 0);
	const column = (values: Float32Array | Float64Array, c: number) =>
		Float32Array.from({ length: rows }, (_, i) => values[i * width + c] as number);
	const rankings = Array.from(ranks ? given : [], (_, c) => {
		const flags = column(labels, c);
		return rankingMetrics(column(probabilities, c), (row) => flags[row] === 1);
	});
	return {
		accuracy: right / labels.length,
		subset_accuracy: whole / rows,
		macro_f1: meanOf(Array.from(hits, (hit, c) => f1(hit, given[c] as number, predicted[c] as number)).filter(isNumber)),
		micro_f1: f1(total(hits), total(given), total(predicted)),
		auroc: meanOf(rankings.map(({ auroc }) => auroc).filter(isNumber)),
		auprc: meanOf(rankings.map(({ auprc }) => auprc).filter(isNumber)),
	};
}
