import { ProblemError } from '@steelyard/contracts';
import { counterRandom, shuffle } from '@steelyard/random';
import { cutByLabels } from './cut-by-labels.js';
import type { Dataset, Split } from './dataset.js';

/** Some rows of a split, in ascending order. */
export type RowSet = { readonly split: string; readonly rows: Uint32Array };

export type TrainingRows = { readonly train: RowSet; readonly validation: RowSet };

function allRows(n: number): Uint32Array {
	const rows = new Uint32Array(n);
	for (let row = 0; row < n; row++) rows[row] = row;
	return rows;
}

/** Divides `total` rows among strata in proportion to their sizes, by largest remainders; each stratum keeps at least one row. */
function quotas(sizes: readonly number[], total: number): number[] {
	const rows = sizes.reduce((sum, size) => sum + size, 0);
	const exact = sizes.map((size) => (size * total) / rows);
	const given = exact.map((share, s) => Math.min(Math.floor(share), Math.max(0, (sizes[s] as number) - 1)));
	let left = total - given.reduce((sum, share) => sum + share, 0);
	const byRemainder = exact
		.map((share, s) => ({ s, remainder: share - Math.floor(share) }))
		.sort((a, b) => b.remainder - a.remainder || a.s - b.s);
	for (let before = -1; left > 0 && left !== before; ) {
		before = left;
		for (const { s } of byRemainder) {
			if (left === 0 || (given[s] as number) >= (sizes[s] as number) - 1) continue;
			given[s] = (given[s] as number) + 1;
			left--;
		}
	}
	return given;
}

/** What a cut goes by: the number of rows, the code of each row's group where rows of one must stay together, and the class of each row. */
export type CuttableRows = Pick<Split, 'rows' | 'groups' | 'labels'>;

/** Several labels of each row: `flags` `[rows, labels]` of 0 and 1. */
export type RowFlags = { readonly flags: ArrayLike<number>; readonly labels: number };

/** The units of rows that stay together: those of a group, else each row alone; in the order in which they first occur. */
function unitsOf({ rows, groups }: Omit<CuttableRows, 'labels'>): number[][] {
	if (groups === null) return Array.from({ length: rows }, (_, row) => [row]);
	const units = new Map<number, number[]>();
	groups.forEach((code, row) => {
		const unit = units.get(code);
		if (unit === undefined) units.set(code, [row]);
		else unit.push(row);
	});
	return [...units.values()];
}

/** The stratum of each row, and the sizes of the strata: its class where each row has one of `classes`, else, where these are 0, one stratum for all. */
function strataOf(split: CuttableRows, classes: number): { strata: ArrayLike<number>; sizes: number[] } {
	const strata = classes > 0 ? split.labels : new Int32Array(split.rows);
	const sizes = Array.from({ length: Math.max(1, classes) }, () => 0);
	for (let row = 0; row < split.rows; row++) sizes[strata[row] as number] = (sizes[strata[row] as number] as number) + 1;
	return { strata, sizes };
}

/** What the random numbers of the cut for validation are called. */
const VALIDATION = 'validation-split';

const orderOf = (units: number, seed: number, stream = VALIDATION): Uint32Array => shuffle(allRows(units), counterRandom(seed, stream));

/** How many rows to take: at least one, and not all. */
const wantedOf = ({ rows }: { rows: number }, fraction: number): number => Math.min(rows - 1, Math.max(1, Math.round(fraction * rows)));

/** The units of a split in random order, and the number of rows to take. Throws ProblemError where there are fewer than two units. */
function cuttable(
	split: Omit<CuttableRows, 'labels'>,
	fraction: number,
	seed: number,
	stream = VALIDATION,
): { units: number[][]; wanted: number } {
	const units = unitsOf(split);
	if (units.length < 2) {
		const found = split.groups === null ? `${split.rows} row` : 'one group';
		throw new ProblemError(
			'invalid_dataset',
			`Split train: expected at least 2 rows or groups to cut a validation split from, found ${found}`,
			'train',
		);
	}
	const order = orderOf(units.length, seed, stream);
	return { units: Array.from(order, (u) => units[u] as number[]), wanted: wantedOf(split, fraction) };
}

/** Which rows are taken, 1 or 0 each, so that each label has its share there. */
function takenByLabels(
	split: Omit<CuttableRows, 'labels'>,
	{ flags, labels }: RowFlags,
	{ fraction, seed, stream }: { fraction: number; seed: number; stream?: string },
): Uint8Array {
	const { units, wanted } = cuttable(split, fraction, seed, stream);
	const held = cutByLabels(units, flags, labels, wanted / split.rows);
	const taken = new Uint8Array(split.rows);
	units.forEach((unit, u) => {
		if (held[u] === 1) for (const row of unit) taken[row] = 1;
	});
	return taken;
}

/**
 * As `cut` where every row is a unit of its own, without an array for each of them. `need`: the quotas of the strata. Null where it takes none.
 */
function cutRows(order: Uint32Array, strata: ArrayLike<number>, sizes: readonly number[], need: readonly number[]): Uint8Array | null {
	const remaining = [...sizes];
	const wanted = [...need];
	const taken = new Uint8Array(order.length);
	for (const row of order) {
		const s = strata[row] as number;
		if ((wanted[s] as number) <= 0 || remaining[s] === 1) continue;
		wanted[s] = (wanted[s] as number) - 1;
		remaining[s] = (remaining[s] as number) - 1;
		taken[row] = 1;
	}
	return taken.includes(1) ? taken : null;
}

/**
 * Which rows are taken for validation, 1 or 0 each. Goes through the units in random order, and takes each that brings the rows per stratum closer to their quotas (in
 * squares) and leaves no stratum of training empty. Where every row is a unit of its own, the quotas are met exactly.
 */
function cut(split: CuttableRows, classes: number, fraction: number, seed: number, stream?: string): Uint8Array {
	const { strata, sizes } = strataOf(split, classes);
	if (split.groups === null && split.rows > 1) {
		const taken = cutRows(orderOf(split.rows, seed, stream), strata, sizes, quotas(sizes, wantedOf(split, fraction)));
		if (taken !== null) return taken;
	}
	const { units, wanted } = cuttable(split, fraction, seed, stream);
	const need = quotas(sizes, wanted);
	const remaining = [...sizes];
	const taken = new Uint8Array(split.rows);
	const countsOf = (unit: readonly number[]): Map<number, number> => {
		const counts = new Map<number, number>();
		for (const row of unit) counts.set(strata[row] as number, (counts.get(strata[row] as number) ?? 0) + 1);
		return counts;
	};
	/** (need − count)² − need², summed: below 0 when taking the unit brings the counts closer. */
	const change = (counts: Map<number, number>): number => {
		let sum = 0;
		for (const [s, count] of counts) sum += count * (count - 2 * (need[s] as number));
		return sum;
	};
	let any = false;
	for (const unit of units) {
		const counts = countsOf(unit);
		if (change(counts) >= 0 || [...counts].some(([s, count]) => remaining[s] === count)) continue;
		for (const [s, count] of counts) {
			need[s] = (need[s] as number) - count;
			remaining[s] = (remaining[s] as number) - count;
		}
		for (const row of unit) taken[row] = 1;
		any = true;
	}
	if (!any) {
		// Every group is too large, or the only home of its class: the one that fits least badly, the first in random order among equals.
		const best = units.reduce((a, b) => (change(countsOf(b)) < change(countsOf(a)) ? b : a));
		for (const row of best) taken[row] = 1;
	}
	return taken;
}

/**
 * Which of some rows to hold out, 1 or 0 each: a `fraction` (in (0, 1)) of them, at least one, drawn by `seed` from random numbers called `stream`, the same share of each
 * of `classes` (0 where rows have none), and groups stay together. A class keeps a row among the others wherever groups allow it.
 * @throws ProblemError `invalid_dataset` where there are fewer than two rows or groups
 */
export const heldOut = (
	rows: CuttableRows,
	{ classes, fraction, seed, stream }: { classes: number; fraction: number; seed: number; stream: string },
): Uint8Array => cut(rows, classes, fraction, seed, stream);

/**
 * Which of some rows to hold out, as `heldOut` does, where rows have several labels: about the same share of the rows of each label, which keeps a row among the others
 * wherever groups allow it.
 * @throws ProblemError `invalid_dataset` where there are fewer than two rows or groups
 */
export const heldOutByLabels = (
	rows: Omit<CuttableRows, 'labels'>,
	several: RowFlags,
	how: { fraction: number; seed: number; stream: string },
): Uint8Array => takenByLabels(rows, several, how);

/**
 * The rows to train on and the rows for validation. Where there is a split `valid`, these are all of its rows and all of `train`. Else `train` is cut: a `fraction` (in
 * (0, 1)) of its rows, at least one, is drawn by `seed` for validation, the same share of each class (about the same of each label), and groups stay together. A class
 * or label keeps a row in training wherever groups allow it.
 * @throws ProblemError `invalid_dataset` when there is nothing to cut
 */
export function trainingRows(dataset: Dataset, { fraction, seed }: { fraction: number; seed: number }): TrainingRows {
	const train = dataset.split('train');
	if (dataset.splitNames.includes('valid'))
		return {
			train: { split: 'train', rows: allRows(train.rows) },
			validation: { split: 'valid', rows: allRows(dataset.split('valid').rows) },
		};
	if (!(fraction > 0 && fraction < 1)) throw new RangeError(`expected a fraction between 0 and 1, found ${fraction}`);
	const { type, classes, outputs, positions } = dataset.profile.task;
	const strata = positions === undefined ? classes.length : 0;
	const taken =
		type === 'multilabel'
			? takenByLabels(train, { flags: train.labels, labels: outputs }, { fraction, seed })
			: cut(train, strata, fraction, seed);
	const rows = allRows(train.rows);
	return {
		train: { split: 'train', rows: rows.filter((row) => taken[row] === 0) },
		validation: { split: 'train', rows: rows.filter((row) => taken[row] === 1) },
	};
}
