/** What quantiles `[N, Q]`, in rising order, of N labels come to, row by row. */

/** The mean over the quantiles τ of the pinball loss of one row: τ·e, and (τ − 1)·e where e is below 0, of the error e = label − quantile (Koenker and Bassett 1978). */
export function pinballOf(levels: readonly number[], quantiles: Float32Array, row: number, label: number): number {
	let sum = 0;
	levels.forEach((level, q) => {
		const error = label - (quantiles[row * levels.length + q] as number);
		sum += Math.max(level * error, (level - 1) * error);
	});
	return sum / levels.length;
}

/** 1 where a label lies from the lowest quantile of its row to the highest, else 0, `[N]`; its mean is the coverage. */
export function coveredRows(quantiles: Float32Array, labels: Float64Array): Float64Array {
	const width = quantiles.length / labels.length;
	return labels.map((label, i) => Number((quantiles[i * width] as number) <= label && label <= (quantiles[(i + 1) * width - 1] as number)));
}

/** The distance from the lowest quantile of each of so many rows to the highest, in the unit of the label. */
export function intervalWidths(quantiles: Float32Array, rows: number): Float64Array {
	const width = quantiles.length / rows;
	return Float64Array.from({ length: rows }, (_, i) => (quantiles[(i + 1) * width - 1] as number) - (quantiles[i * width] as number));
}

/** The share of labels that lie between the lowest and the highest quantile where these are right. */
export const nominalCoverage = (levels: readonly number[]): number => (levels.at(-1) as number) - (levels[0] as number);
