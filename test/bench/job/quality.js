/** How far two trainings that drew their own numbers may end apart. */
const AUROC = 0.03;
const LOSS = 0.03;

/**
 * `equal` where two whole jobs reached the same on the test split within the spread of seeds, `void: …` otherwise. Their steps cannot be compared: each draws its own first
 * parameters and its own order of the rows.
 */
export function sameQuality(ours, theirs) {
	for (const [metric, most] of [
		['auroc', AUROC],
		['loss', LOSS],
	]) {
		const [a, b] = [ours[metric], theirs[metric]];
		if (!Number.isFinite(a) || !Number.isFinite(b)) return `void: the ${metric} of test is ${a} and ${b}`;
		if (Math.abs(a - b) > most) return `void: the ${metric} of test is ${a.toFixed(4)} and ${b.toFixed(4)}, expected within ${most}`;
	}
	return 'equal';
}
