import { ProblemError } from '@steelyard/contracts';
import { counterRandom, shuffle } from '@steelyard/random';
import type { Split } from './dataset.js';
import { stratifyByLabels } from './stratify-labels.js';

/** The units of rows that stay together: those of a group, else each row alone; as places in `rows`. */
function unitsOf(groups: Int32Array | null, rows: Uint32Array): number[][] {
	if (groups === null) return Array.from(rows, (_, i) => [i]);
	const units = new Map<number, number[]>();
	rows.forEach((row, i) => {
		const code = groups[row] as number;
		const unit = units.get(code);
		if (unit === undefined) units.set(code, [i]);
		else unit.push(i);
	});
	return [...units.values()];
}

/** The fold with the fewest rows of a stratum; among equals the one with the fewest rows, then the first. */
function lightest(sizes: readonly number[], ofStratum: readonly number[]): number {
	let best = 0;
	for (let f = 1; f < sizes.length; f++) {
		const gap = (ofStratum[f] as number) - (ofStratum[best] as number) || (sizes[f] as number) - (sizes[best] as number);
		if (gap < 0) best = f;
	}
	return best;
}

/** The fold of each row where rows have several labels. */
function foldsByLabels(split: Split, rows: Uint32Array, units: readonly number[][], folds: number): Uint8Array {
	const unitRows = units.map((unit) => unit.map((i) => rows[i] as number));
	const shares = Array<number>(folds).fill(1 / folds);
	const part = stratifyByLabels(unitRows, split.labels as Float32Array, split.labels.length / split.rows, shares);
	const fold = new Uint8Array(rows.length);
	units.forEach((unit, u) => {
		for (const i of unit) fold[i] = part[u] as number;
	});
	return fold;
}

/**
 * The fold of each of `rows`, 0 … folds − 1, drawn by `seed`. The sizes of the folds differ little, each class (for multilabel tasks of two labels or more each label) is
 * spread evenly over them, and groups stay together.
 * @throws ProblemError `invalid_dataset` when there are fewer rows or groups than folds
 */
export function foldsOf(split: Split, rows: Uint32Array, folds: number, seed: number): Uint8Array {
	const units = unitsOf(split.groups, rows);
	if (units.length < folds)
		throw new ProblemError(
			'invalid_dataset',
			`split ${split.name}: expected at least ${folds} ${split.groups === null ? 'rows' : 'groups'} to cut into ${folds} folds, found ${units.length}`,
			'weighting.folds',
		);
	const order = shuffle(
		Uint32Array.from(units, (_, i) => i),
		counterRandom(seed, 'folds'),
	);
	if (split.labels.length > split.rows)
		return foldsByLabels(
			split,
			rows,
			Array.from(order, (u) => units[u] as number[]),
			folds,
		);
	const fold = new Uint8Array(rows.length);
	const classes = split.labels instanceof Int32Array ? split.labels : null;
	const sizes = Array.from({ length: folds }, () => 0);
	const strata = new Map<number, number[]>();
	for (const u of order) {
		const unit = units[u] as number[];
		const stratum = classes === null || unit.length > 1 ? -1 : (classes[rows[unit[0] as number] as number] as number);
		const ofStratum = strata.get(stratum) ?? Array.from({ length: folds }, () => 0);
		strata.set(stratum, ofStratum);
		const f = lightest(sizes, ofStratum);
		sizes[f] = (sizes[f] as number) + unit.length;
		ofStratum[f] = (ofStratum[f] as number) + unit.length;
		for (const i of unit) fold[i] = f;
	}
	return fold;
}
