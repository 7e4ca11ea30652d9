import { type NumberTable, readNumberTable } from '@steelyard/dataset';
import type { FixedPredictions } from '@steelyard/trainer';
import type { Reals, WeightingTask } from '@steelyard/weighting';
import { UsageError } from './output.js';

/** The `.npy` files that hold the predictions; those of the unimodal models and the masks by the name of their modality. */
export type PredictionFiles = {
	readonly task: WeightingTask;
	readonly fused: string;
	readonly unimodal: ReadonlyMap<string, string>;
	readonly masks: ReadonlyMap<string, string>;
	readonly labels?: string | undefined;
};

export type NamedPredictions = FixedPredictions & { readonly modalities: readonly string[]; readonly rows: number };

const shapeOf = ({ shape }: NumberTable): string => `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;

async function read(path: string): Promise<NumberTable> {
	return readNumberTable(path).catch((error: NodeJS.ErrnoException) => {
		if (error.code === 'ENOENT') throw new UsageError(`${path} does not exist; expected an .npy file`);
		throw new UsageError(error.name === 'ProblemError' ? error.message : `${path} cannot be read: ${error.message}`);
	});
}

const EXPECTED_SHAPE: Readonly<Record<WeightingTask, string>> = {
	binary: '(rows, 1) or (rows,), one logit per row; two logits per row belong to the task multiclass',
	multiclass: '(rows, classes) of at least two classes; one logit per row belongs to the task binary',
	multilabel: '(rows, labels), one logit per label',
	regression: '(rows, 1) or (rows,), one value per row',
};

/** How many columns the predictions have, one per class or label. Throws UsageError where their shape does not fit the task. */
function widthOf(task: WeightingTask, table: NumberTable): number {
	const [rows, columns = 1] = table.shape;
	const fits = task === 'multilabel' ? columns >= 1 : task === 'multiclass' ? columns >= 2 : columns === 1;
	if (!fits) throw new UsageError(`${table.file}: expected shape ${EXPECTED_SHAPE[task]}, found ${shapeOf(table)}`);
	if (rows === 0) throw new UsageError(`${table.file}: expected at least one row, found shape ${shapeOf(table)}`);
	return columns;
}

/** Throws UsageError at the first value that is not finite. The values of a row that lacks the modality may be anything: they become 0. */
function expectFinite({ file, values }: NumberTable, width: number, present: Uint8Array | null): void {
	for (let i = 0; i < values.length; i++) {
		const row = Math.floor(i / width);
		if (present?.[row] === 0) values[i] = 0;
		else if (!Number.isFinite(values[i]))
			throw new UsageError(`${file} row ${row}, column ${i % width}: expected a finite number, found ${values[i]}`);
	}
}

/** Reads a table with as many rows as `of` and `width` columns; a table of one column may be a vector. Throws UsageError where it has another shape. */
async function readLike(path: string, width: number, of: NumberTable): Promise<NumberTable> {
	const table = await read(path);
	const [rows, columns = 1] = table.shape;
	if (rows !== of.shape[0] || columns !== width)
		throw new UsageError(
			`${path}: expected ${of.shape[0]} rows of ${width === 1 ? 'one column' : `${width} columns`} as in ${of.file}, found shape ${shapeOf(table)}`,
		);
	return table;
}

async function readMask(path: string, fused: NumberTable): Promise<Uint8Array> {
	const { values } = await readLike(path, 1, fused);
	const wrong = values.findIndex((value) => value !== 0 && value !== 1);
	if (wrong >= 0)
		throw new UsageError(
			`${path} row ${wrong}: expected 1 where the modality is present and 0 where it is missing, found ${values[wrong]}`,
		);
	return Uint8Array.from(values);
}

/** Reads class indices `[N]`, zeros and ones `[N]` or `[N, labels]`, or the values of a regression `[N]`. Throws UsageError where they do not fit the task. */
async function readLabels(path: string, task: WeightingTask, width: number, fused: NumberTable): Promise<Float64Array> {
	const columns = task === 'multilabel' ? width : 1;
	const table = await readLike(path, columns, fused);
	expectFinite(table, columns, null);
	const { values } = table;
	if (task === 'regression') return values;
	const largest = task === 'multiclass' ? width - 1 : 1;
	const wrong = values.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label <= largest));
	if (wrong < 0) return values;
	const place = `row ${Math.floor(wrong / columns)}${columns === 1 ? '' : `, column ${wrong % columns}`}`;
	throw new UsageError(
		`${path} ${place}: expected ${task === 'multiclass' ? `a class from 0 to ${largest}` : '0 or 1'}, found ${values[wrong]}`,
	);
}

/** Whether predictions `[N, width]` look like the output of a softmax or a sigmoid: logits are hardly ever all between 0 and 1. */
export function looksLikeProbabilities(task: WeightingTask, values: Reals, width: number): boolean {
	if (task === 'regression' || !values.every((value) => value >= 0 && value <= 1)) return false;
	if (task !== 'multiclass') return true;
	for (let at = 0; at < values.length; at += width) {
		let sum = 0;
		for (let c = at; c < at + width; c++) sum += values[c] as number;
		if (Math.abs(sum - 1) > 1e-3) return false;
	}
	return true;
}

/** Reads and checks all predictions, masks and labels. Throws UsageError, which names the file that is wrong, and its first wrong row. */
export async function readPredictions({ task, fused: path, unimodal, masks, labels }: PredictionFiles): Promise<NamedPredictions> {
	const modalities = [...unimodal.keys()];
	for (const name of masks.keys())
		if (!unimodal.has(name)) throw new UsageError(`--mask ${name}: there is no such modality; --unimodal names ${modalities.join(', ')}`);
	const fused = await read(path);
	const width = widthOf(task, fused);
	expectFinite(fused, width, null);
	const present = await Promise.all(
		modalities.map((name) => {
			const mask = masks.get(name);
			return mask === undefined ? null : readMask(mask, fused);
		}),
	);
	const outputs: Float64Array[] = [];
	for (const [m, file] of [...unimodal.values()].entries()) {
		const table = await readLike(file, width, fused);
		expectFinite(table, width, present[m] ?? null);
		outputs.push(table.values);
	}
	return {
		task,
		classes: width,
		modalities,
		rows: fused.shape[0],
		fused: fused.values,
		unimodal: outputs,
		present,
		labels: labels === undefined ? null : await readLabels(labels, task, width, fused),
	};
}
