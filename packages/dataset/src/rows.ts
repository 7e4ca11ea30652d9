import { type DatasetProfile, type DatasetRow, type DatasetRows, dtypeOf, MOST_SHOWN, maskOf, ProblemError } from '@steelyard/contracts';
import { labelsFile, maskFile, modalityFile } from './canonical-folder.js';
import { arrayTypeOf, type CanonicalArray, type CanonicalType } from './canonical-type.js';
import { readKeptRows } from './kept-rows.js';
import { maskShape } from './mask.js';
import { openStoredArray } from './stored-array.js';

/** What of a dataset says how its rows are read. */
export type RowsProfile = Pick<DatasetProfile, 'task' | 'modalities' | 'splits' | 'table'>;

type Modality = DatasetProfile['modalities'][string];
/** Some rows of a split that lie one after the other. */
type Run = { readonly folder: string; readonly split: string; readonly total: number; readonly first: number; readonly count: number };

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, axis) => product * axis, 1);

/** Reads the values of a run of rows of an array `[total, …shape]`. */
function readRun({ folder, total, first, count }: Run, file: string, type: CanonicalType, shape: readonly number[]): CanonicalArray {
	const width = sizeOf(shape);
	const values = new (arrayTypeOf(type))(count * width);
	const array = openStoredArray(folder, file, type, [total, ...shape]);
	try {
		array.read(first * width, values);
	} finally {
		array.close();
	}
	return values;
}

/** Significant digits of the decimals that may be a float32: with nine each is another. */
const FLOAT32_DIGITS = [7, 8, 9];

/** A value as JSON has it: the shortest decimal that is this float32, and a text for a whole number beyond those that a float64 holds. */
function shown(value: number | bigint): number | string {
	if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
	if (Number.isInteger(value)) return value;
	return FLOAT32_DIGITS.map((digits) => Number(value.toPrecision(digits))).find((short) => Math.fround(short) === value) ?? value;
}

/** Numbers of a shape from `at` on as nested lists. */
function nested(values: CanonicalArray, shape: readonly number[], at: number, show: (value: number | bigint) => unknown): unknown {
	const [size, ...inner] = shape;
	if (size === undefined) return show(values[at] as number | bigint);
	const width = sizeOf(inner);
	return Array.from({ length: size }, (_, i) => nested(values, inner, at + i * width, show));
}

/** A modality in each of some rows; null where its mask says that it is missing, and for a step that is. */
function modalityValues(run: Run, name: string, modality: Modality): unknown[] {
	const { shape } = modality;
	const [steps = 1, ...inner] = shape;
	const values = readRun(run, modalityFile(run.split, name), dtypeOf(modality), shape);
	const marks = maskOf(modality);
	const marked = marks === 'steps' ? steps : null;
	const mask = marks === null ? null : readRun(run, maskFile(run.split, name), 'uint8', maskShape(run.total, marked).slice(1));
	const width = sizeOf(shape);
	return Array.from({ length: run.count }, (_, i) => {
		const own = mask?.subarray(i * (marked ?? 1), (i + 1) * (marked ?? 1)) as Uint8Array | undefined;
		if (own?.includes(1) === false) return null;
		const whole = nested(values, shape, i * width, shown);
		if (own === undefined || marked === null || !own.includes(0)) return whole;
		return Array.from(own, (there, step) => (there === 1 ? nested(values, inner, i * width + step * sizeOf(inner), shown) : null));
	});
}

/** The labels of some rows: names of classes, values, lists of the names that apply, or a list for the positions. */
function labelsOf(run: Run, { type, classes, outputs, positions }: RowsProfile['task']): DatasetRow['label'][] {
	const file = labelsFile(run.split);
	const nameOf = (index: number): string => classes[index] ?? String(index);
	if (positions !== undefined) {
		const isValue = type === 'regression';
		const values = readRun(run, file, isValue ? 'float32' : 'int32', positions);
		const show = (value: number | bigint): unknown => ((isValue ? Number.isNaN(value) : (value as number) < 0) ? null : shown(value));
		return Array.from({ length: run.count }, (_, i) => nested(values, positions, i * sizeOf(positions), show) as unknown[]);
	}
	if (type === 'multilabel') {
		const flags = readRun(run, file, 'float32', [outputs]);
		return Array.from({ length: run.count }, (_, i) =>
			[...(flags.subarray(i * outputs, (i + 1) * outputs) as Float32Array)].flatMap((flag, label) => (flag === 1 ? [nameOf(label)] : [])),
		);
	}
	if (type === 'regression') return Array.from(readRun(run, file, 'float32', []) as Float32Array, shown);
	return Array.from(readRun(run, file, 'int32', []) as Int32Array, nameOf);
}

/** The modalities that fit into a row, in their order, and how many numbers they have together. */
function fitting(modalities: RowsProfile['modalities'], taken: number): { fits: [string, Modality][]; numbers: number } {
	const fits: [string, Modality][] = [];
	let numbers = taken;
	for (const [name, modality] of Object.entries(modalities)) {
		const size = sizeOf(modality.shape);
		if (numbers + size > MOST_SHOWN.row) continue;
		fits.push([name, modality]);
		numbers += size;
	}
	return { fits, numbers };
}

/**
 * Reads some rows of a split of a dataset that `ingest` wrote into `folder`, as a request for predictions has them. Blocks while it reads arrays, of which it reads no more
 * than these rows. Throws ProblemError `invalid_request` for a split that is not there.
 */
export async function readRows(
	folder: string,
	{ task, modalities, splits, table }: RowsProfile,
	{ split, offset, limit }: { split: string; offset: number; limit: number },
): Promise<DatasetRows> {
	const profile = Object.hasOwn(splits, split) ? splits[split] : undefined;
	if (profile === undefined)
		throw new ProblemError('invalid_request', `split: expected one of ${Object.keys(splits).join(', ')}, found ${split}`, 'split');
	const total = profile.rows;
	const run = (count: number): Run => ({ folder, split, total, first: offset, count });
	const page = (kept: number, leftOut: string[], data: DatasetRow[]): DatasetRows => ({
		...{ object: 'list', split, total, kept, left_out: leftOut, data },
		has_more: offset + data.length < kept,
	});
	if (table !== undefined) {
		const { kept, rows } = await readKeptRows(folder, split, { offset, limit });
		const labels = labelsOf(run(rows.length), task);
		return page(
			kept,
			[],
			rows.map((values, i) => ({ row: offset + i, values, label: labels[i] ?? null })),
		);
	}
	const positions = task.positions === undefined ? 0 : sizeOf(task.positions);
	const showsLabels = positions <= MOST_SHOWN.row;
	const { fits, numbers } = fitting(modalities, showsLabels ? positions : 0);
	const leftOut = Object.keys(modalities).filter((name) => fits.every(([other]) => other !== name));
	const count = Math.max(0, Math.min(limit, total - offset, Math.max(1, Math.floor(MOST_SHOWN.answer / Math.max(1, numbers)))));
	if (count === 0) return page(total, leftOut, []);
	const labels = showsLabels ? labelsOf(run(count), task) : [];
	const columns = fits.map(([name, modality]) => [name, modalityValues(run(count), name, modality)] as const);
	const data = Array.from({ length: count }, (_, i) => ({
		row: offset + i,
		values: Object.fromEntries(columns.map(([name, values]) => [name, values[i]])),
		label: labels[i] ?? null,
	}));
	return page(total, leftOut, data);
}
