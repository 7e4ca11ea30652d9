import { LABEL_THRESHOLD } from './multilabel-metrics.js';

/** The threshold of one label: between two probabilities that occur, where F1 = 2·tp / (given + predicted) is greatest; of equals the one that is nearest to ½. */
function thresholdOf(probabilities: Float32Array, labels: Float64Array): number {
	const order = Array.from(probabilities.keys()).sort((a, b) => (probabilities[b] as number) - (probabilities[a] as number));
	const given = labels.reduce((sum, label) => sum + label, 0);
	if (given === 0) return LABEL_THRESHOLD; // nothing tells of it
	let best = { f1: 0, threshold: LABEL_THRESHOLD };
	let hits = 0;
	for (const [i, at] of order.entries()) {
		hits += labels[at] as number;
		const [p, next] = [probabilities[at] as number, i + 1 < order.length ? (probabilities[order[i + 1] as number] as number) : 0];
		if (p === next) continue;
		const middle = Math.fround((p + next) / 2);
		const threshold = middle < p ? middle : next; // neighbours among float32 have no number between them
		const f1 = (2 * hits) / (given + i + 1);
		const isNearer = Math.abs(threshold - LABEL_THRESHOLD) < Math.abs(best.threshold - LABEL_THRESHOLD);
		if (f1 > best.f1 || (f1 === best.f1 && isNearer)) best = { f1, threshold };
	}
	return best.threshold;
}

/**
 * For each label the probability above which it is to be predicted, so that its F1 is greatest on these rows; ½ for a label that no row has. Float32 numbers.
 *
 * @param probabilities `[N, labels]`
 * @param labels 0 and 1, `[N, labels]`
 */
export function thresholdsOf(probabilities: Float32Array, labels: Float64Array, width: number): number[] {
	return Array.from({ length: width }, (_, c) => {
		const isOf = (_value: number, at: number) => at % width === c;
		return thresholdOf(probabilities.filter(isOf), labels.filter(isOf));
	});
}
