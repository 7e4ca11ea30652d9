/** A run of equal scores: how many positives and negatives have it, and the score. */
export type TiedRun = readonly [positives: number, negatives: number, score: number];

/** Scores from high to low, in runs of equal score. Typed arrays sort far faster without a comparison of our own. */
export function tiedRuns(scores: Float32Array, positive: (row: number) => boolean): TiedRun[] {
	const ups = scores.filter((_, row) => positive(row)).sort();
	const downs = scores.filter((_, row) => !positive(row)).sort();
	const runs: TiedRun[] = [];
	let [u, d] = [ups.length, downs.length];
	while (u > 0 || d > 0) {
		const top = Math.max(
			u > 0 ? (ups[u - 1] as number) : Number.NEGATIVE_INFINITY,
			d > 0 ? (downs[d - 1] as number) : Number.NEGATIVE_INFINITY,
		);
		const before = [u, d] as const;
		while (u > 0 && !((ups[u - 1] as number) < top)) u--; // equal to the top; a NaN ends everything in one run
		while (d > 0 && !((downs[d - 1] as number) < top)) d--;
		runs.push([before[0] - u, before[1] - d, top]);
	}
	return runs;
}

/** Area under the ROC curve (ties count half) and average precision, as scikit-learn has them; null where one class is absent. */
export type RankingMetrics = { readonly auroc: number | null; readonly auprc: number | null };

/** How well scores rank positives above negatives. */
export const rankingMetrics = (scores: Float32Array, positive: (row: number) => boolean): RankingMetrics =>
	rankingOfRuns(tiedRuns(scores, positive));

/** The same of scores that stand in runs. */
export function rankingOfRuns(runs: readonly TiedRun[]): RankingMetrics {
	const positives = runs.reduce((sum, [p]) => sum + p, 0);
	const negatives = runs.reduce((sum, [, n]) => sum + n, 0);
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

/**
 * The same of resamples of the rows: the function that comes back takes how often each row was drawn. It sorts once, where a resample as rows of its own would be sorted
 * each time.
 */
export function rankingOfCounts(scores: Float32Array, positive: (row: number) => boolean): (counts: Uint32Array) => RankingMetrics {
	const order = Uint32Array.from(scores.keys()).sort((a, b) => (scores[b] as number) - (scores[a] as number));
	const isPositive = Uint8Array.from(order, (row) => (positive(row) ? 1 : 0));
	/** 1 where the next row has a lower score. */
	const endsRun = Uint8Array.from(order, (row, at) => (at + 1 < order.length && scores[order[at + 1] as number] === scores[row] ? 0 : 1));
	return (counts) => {
		let [positives, negatives] = [0, 0];
		for (let at = 0; at < order.length; at++) {
			const drawn = counts[order[at] as number] as number;
			if (isPositive[at] === 1) positives += drawn;
			else negatives += drawn;
		}
		if (positives === 0 || negatives === 0) return { auroc: null, auprc: null };
		let [above, seen, pairs, precision, p, n] = [0, 0, 0, 0, 0, 0];
		for (let at = 0; at < order.length; at++) {
			const drawn = counts[order[at] as number] as number;
			if (isPositive[at] === 1) p += drawn;
			else n += drawn;
			if (endsRun[at] === 0 || p + n === 0) continue;
			pairs += n * (above + p / 2);
			above += p;
			seen += p + n;
			precision += (p / positives) * (above / seen);
			[p, n] = [0, 0];
		}
		return { auroc: pairs / (positives * negatives), auprc: precision };
	};
}
