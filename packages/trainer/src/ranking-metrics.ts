/** Rows by falling score, in runs of equal score: [positives, negatives] of each run. */
function tiedRuns(scores: Float32Array, positive: (row: number) => boolean): Array<[number, number]> {
	const order = Uint32Array.from(scores, (_, i) => i).sort((a, b) => (scores[b] as number) - (scores[a] as number));
	const runs: Array<[number, number]> = [];
	let last: number | undefined;
	for (const row of order) {
		if (scores[row] !== last) runs.push([0, 0]);
		last = scores[row];
		(runs.at(-1) as [number, number])[positive(row) ? 0 : 1]++;
	}
	return runs;
}

/** Area under the ROC curve (ties count half) and average precision, as scikit-learn has them; null where one class is absent. */
export function rankingMetrics(scores: Float32Array, positive: (row: number) => boolean): { auroc: number | null; auprc: number | null } {
	const runs = tiedRuns(scores, positive);
	const positives = runs.reduce((sum, [p]) => sum + p, 0);
	const negatives = scores.length - positives;
	if (positives === 0 || negatives === 0) return { auroc: null, auprc: null };
	let above = 0;
	let seen = 0;
	let pairs = 0;
	let precision = 0;
	for (const [p, n] of runs) {
		pairs += n * (above + p / 2);
		above += p;
		seen += p + n;
		precision += (p / positives) * (above / seen);
	}
	return { auroc: pairs / (positives * negatives), auprc: precision };
}
