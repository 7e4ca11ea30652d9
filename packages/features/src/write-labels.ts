import { join } from 'node:path';
import { openNpyWriter } from '@steelyard/dataset';
import { type Assignment, flagsOf, integersOf, rowsOf } from './assign.js';
import type { Survey } from './survey.js';

/** Writes an array whole. */
export async function writeArray(
	path: string,
	type: 'float32' | 'int32' | 'uint8',
	values: Float32Array | Int32Array | Uint8Array,
	shape: readonly number[] = [values.length],
): Promise<void> {
	const writer = await openNpyWriter(path, type, shape);
	await writer.append(values);
	await writer.close();
}

const singlesOf = (all: ArrayLike<number>, rows: Uint32Array): Float32Array =>
	new Float32Array(rows.length).map((_, i) => all[rows[i] as number] as number);

/** Writes the labels of each split, and its groups, where there are any, as those of `group`. */
export async function writeLabels(
	{ labels, groups, reading }: Survey,
	assignment: Assignment,
	folder: string,
	group: string,
): Promise<void> {
	const { classes } = reading.task;
	const { values, flags } = labels;
	for (const [split, name] of assignment.names.entries()) {
		const path = join(folder, `${name}_labels.npy`);
		const rows = rowsOf(assignment.rows, split);
		if (classes === null) await writeArray(path, 'float32', singlesOf(values, rows));
		else if (flags === null) await writeArray(path, 'int32', integersOf(values, rows));
		else await writeArray(path, 'uint8', flagsOf(flags, classes.length, rows), [rows.length, classes.length]);
		if (groups !== null) await writeArray(join(folder, `${name}_${group}.npy`), 'int32', integersOf(groups.rows, rows));
	}
}
