import { NAME_PATTERN, ProblemError, type TableManifest } from '@steelyard/contracts';
import { heldOut, heldOutByLabels } from '@steelyard/dataset';
import { type Codes, NONE } from './codes.js';
import type { Survey } from './survey.js';
import { splitNamed, type TableFile } from './table-files.js';
import { labelText } from './task.js';

/** In which split each row is: an index of `names`, or `DROPPED`. */
type Splits = { readonly names: readonly string[]; readonly rows: Uint8Array };

/** The splits of all rows; `dropped`: how many rows have no label and are left out. */
export type Assignment = Splits & { readonly dropped: number };

export const DROPPED = 255;
/** The shares of a table that is cut at random, and by time: rows drawn among those that come before and after them would tell nothing of later ones. */
const SHARES = { valid: 0, test: 0.2, seed: 1 };
const SHARES_BY_TIME = { ...SHARES, valid: 0.16 };

const refusal = (detail: string, param: string): ProblemError => new ProblemError('invalid_dataset', detail, param);

/** Some rows in a message. */
const rowsText = (rows: readonly number[], count: number): string =>
	`${count === 1 ? 'row' : 'rows'} ${rows.join(', ')}${count > rows.length ? ` and ${count - rows.length} more` : ''}`;

/** The rows for which something holds: the first five, and how many. */
function rowsWhere(rows: number, holds: (row: number) => boolean): { first: number[]; count: number } {
	const first: number[] = [];
	let count = 0;
	for (let row = 0; row < rows; row++) {
		if (!holds(row)) continue;
		count++;
		if (first.length < 5) first.push(row);
	}
	return { first, count };
}

/** The rows of one split, in their order. */
export function rowsOf(splits: Uint8Array, split: number): Uint32Array {
	const own = new Uint32Array(splits.reduce((count, found) => count + (found === split ? 1 : 0), 0));
	let at = 0;
	splits.forEach((found, row) => {
		if (found === split) own[at++] = row;
	});
	return own;
}

/** The numbers of some rows, as integers. */
export function integersOf(all: ArrayLike<number>, rows: Uint32Array): Int32Array {
	const own = new Int32Array(rows.length);
	rows.forEach((row, i) => {
		own[i] = all[row] as number;
	});
	return own;
}

/** The splits that cells name. */
function byColumn({ reading, rows }: Survey, splits: Codes, dropped: Uint8Array): Splits {
	const column = JSON.stringify(reading.split?.name);
	const lacking = rowsWhere(rows, (row) => dropped[row] === 0 && (splits.rows[row] as number) < 0);
	if (lacking.count > 0)
		throw refusal(
			`The column ${column} of splits: expected a split in every row, found none in ${rowsText(lacking.first, lacking.count)}`,
			'manifest.split',
		);
	const own = splits.texts.map(splitNamed);
	const wrong = own.find((name) => !new RegExp(NAME_PATTERN).test(name));
	if (wrong !== undefined)
		throw refusal(
			`The column ${column} of splits: expected train, valid, test or other names of letters and digits, found ${JSON.stringify(wrong.slice(0, 60))}`,
			'manifest.split',
		);
	const names = [...new Set(own)];
	const places = own.map((name) => names.indexOf(name));
	return { names, rows: dropped.map((is, row) => (is === 1 ? DROPPED : (places[splits.rows[row] as number] as number))) };
}

/** Cuts off the last rows by time: 1 for each of these that is one of them. */
function lastRows(times: Float64Array, among: Uint32Array, count: number): Uint8Array {
	const places = among.map((_, place) => place);
	places.sort((a, b) => (times[among[a] as number] as number) - (times[among[b] as number] as number) || a - b);
	const last = new Uint8Array(among.length);
	for (const place of places.subarray(places.length - count)) last[place] = 1;
	return last;
}

/** Cuts the rows by shares: by time, or at random with the same share of each class, groups together. */
function byShares(survey: Survey, dropped: Uint8Array, manifest: TableManifest): Splits {
	const { times, reading, rows } = survey;
	const { valid, test, seed } = {
		...(times === null ? SHARES : SHARES_BY_TIME),
		...(typeof manifest.split === 'object' ? manifest.split : {}),
	};
	if (valid + test >= 1)
		throw refusal(
			`manifest.json: split: expected shares of valid and test that leave rows for training, found ${valid} and ${test}`,
			'manifest.split',
		);
	if (times !== null) {
		const lacking = rowsWhere(rows, (row) => dropped[row] === 0 && Number.isNaN(times[row]));
		if (lacking.count > 0)
			throw refusal(
				`The column ${JSON.stringify(reading.time?.name)} of dates: expected a date in every row, found none in ${rowsText(lacking.first, lacking.count)}`,
				'manifest.time',
			);
	}
	const names = ['train', ...(valid > 0 ? ['valid'] : []), ...(test > 0 ? ['test'] : [])];
	const assigned = dropped.map((is) => (is === 1 ? DROPPED : 0));
	let left = rowsOf(assigned, 0);
	const all = left.length;
	for (const [name, share] of [
		['test', test],
		['valid', valid],
	] as const) {
		if (share === 0) continue;
		const count = Math.max(1, Math.round(share * all));
		if (left.length - count < 1) throw refusal(`The dataset: expected rows enough for training, validation and test, found ${all}`, 'file');
		const taken =
			times === null ? drawn(survey, left, count / left.length, { seed, stream: `${name}-split` }) : lastRows(times, left, count);
		const split = names.indexOf(name);
		left.forEach((row, place) => {
			if (taken[place] === 1) assigned[row] = split;
		});
		left = rowsOf(assigned, 0);
	}
	return { names, rows: assigned };
}

/** Flags `[rows, labels]` of some rows. */
export function flagsOf(flags: Uint8Array, labels: number, rows: ArrayLike<number>): Uint8Array {
	const own = new Uint8Array(rows.length * labels);
	for (let i = 0; i < rows.length; i++) {
		const at = (rows[i] as number) * labels;
		own.set(flags.subarray(at, at + labels), i * labels);
	}
	return own;
}

/** Draws rows at random: 1 for each of these that is drawn. */
function drawn(
	{ labels, groups, reading }: Survey,
	among: Uint32Array,
	fraction: number,
	{ seed, stream }: { seed: number; stream: string },
): Uint8Array {
	const classes = reading.task.classes?.length ?? 0;
	const own = { rows: among.length, groups: groups === null ? null : integersOf(groups.rows, among) };
	const how = { fraction, seed, stream };
	if (labels.flags !== null) return heldOutByLabels(own, { flags: flagsOf(labels.flags, classes, among), labels: classes }, how);
	return heldOut({ ...own, labels: classes === 0 ? new Float32Array(own.rows) : integersOf(labels.values, among) }, { classes, ...how });
}

/** The splits of rows that have a label: by the name of their file, by a column, or cut. */
function splitsOf(survey: Survey, files: readonly TableFile[], dropped: Uint8Array, manifest: TableManifest): Splits {
	const names = files.flatMap(({ split }) => split ?? []);
	if (names.length > 0) return { names, rows: survey.files.map((file, row) => (dropped[row] === 1 ? DROPPED : file)) };
	return survey.splits === null ? byShares(survey, dropped, manifest) : byColumn(survey, survey.splits, dropped);
}

/** Decides in which split each row is. Throws ProblemError for rows without a label, where they are not to be dropped, and for splits that cannot be. */
export function assign(survey: Survey, files: readonly TableFile[], manifest: TableManifest): Assignment {
	const { labels, reading, rows } = survey;
	const label = labelText(reading.labels.map(({ name }) => name));
	const lacking = rowsWhere(rows, (row) => Number.isNaN(labels.values[row]));
	if (lacking.count > 0 && manifest.missing_labels !== 'drop')
		throw refusal(
			`${label}: expected a label in every row, found none in ${rowsText(lacking.first, lacking.count)}; "missing_labels": "drop" leaves such rows out`,
			'label',
		);
	if (lacking.count === rows) throw refusal(`${label}: expected labels, found none`, 'label');
	if (survey.groups !== null) {
		const { groups } = survey;
		const alone = rowsWhere(rows, (row) => groups.rows[row] === NONE);
		if (alone.count > 0)
			throw refusal(
				`The column ${JSON.stringify(reading.group?.name)} of groups: expected a group in every row, found none in ${rowsText(alone.first, alone.count)}`,
				'manifest.group',
			);
	}
	const dropped = new Uint8Array(rows).map((_, row) => (Number.isNaN(labels.values[row]) ? 1 : 0));
	const found = splitsOf(survey, files, dropped, manifest);
	checkSplits(survey, found);
	return { ...found, dropped: lacking.count };
}

/** Refuses splits without rows, and a class of rows of other splits that no training row has; where rows have several labels, any that no training row has. */
function checkSplits({ labels: { values, flags }, reading, rows }: Survey, { names, rows: splitOf }: Splits): void {
	const train = names.indexOf('train');
	const counts = names.map(() => 0);
	const { classes } = reading.task;
	const count = classes?.length ?? 0;
	const has = (row: number, c: number): boolean => (flags === null ? values[row] === c : flags[row * count + c] === 1);
	const trained = new Uint8Array(classes?.length ?? 0);
	for (let row = 0; row < rows; row++) {
		const split = splitOf[row] as number;
		if (split === DROPPED) continue;
		counts[split] = (counts[split] as number) + 1;
		if (split !== train || classes === null) continue;
		if (flags === null) trained[values[row] as number] = 1;
		else for (let c = 0; c < classes.length; c++) if (has(row, c)) trained[c] = 1;
	}
	names.forEach((name, i) => {
		if (counts[i] === 0) throw refusal(`The dataset: expected rows in split ${name}, found none`, 'manifest.split');
	});
	if (train < 0) throw refusal('The dataset: expected a split called train, found none', 'manifest.split');
	const unseen = classes === null ? -1 : trained.indexOf(0);
	if (classes === null || unseen < 0) return;
	const where = rowsWhere(rows, (row) => splitOf[row] !== DROPPED && has(row, unseen));
	const label = labelText(reading.labels.map(({ name }) => name));
	const name = JSON.stringify(classes[unseen]);
	if (where.count > 0)
		throw refusal(
			`${label}: expected every class among the training rows, found ${name} only in ${rowsText(where.first, where.count)} of other splits, of which no model can know`,
			'label',
		);
	if (flags !== null) throw refusal(`${label}: expected every label among the training rows, found ${name} in no row`, 'label');
}

/** The rows of each split, in the order of the table. */
export function countsOf({ names, rows }: Assignment): number[] {
	const counts = names.map(() => 0);
	for (const split of rows) if (split !== DROPPED) counts[split] = (counts[split] as number) + 1;
	return counts;
}
