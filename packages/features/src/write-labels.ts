import { join } from 'node:path';
import { openNpyWriter } from '@steelyard/dataset';
import { type Assignment, flagsOf } from './assign.js';
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

/** The rows of a split, in their order. */
function rowsIn({ rows }: Assignment, split: number): number[] {
	const own: number[] = [];
	for (const [row, found] of rows.entries()) if (found === split) own.push(row);
	return own;
}

/** The numbers of all rows of a split, in their order. */
const valuesOf = (all: ArrayLike<number>, assignment: Assignment, split: number): number[] =>
	rowsIn(assignment, split).map((row) => all[row] as number);

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
		if (classes === null) await writeArray(path, 'float32', Float32Array.from(valuesOf(values, assignment, split)));
		else if (flags === null) await writeArray(path, 'int32', Int32Array.from(valuesOf(values, assignment, split)));
		else {
			const rows = rowsIn(assignment, split);
			await writeArray(path, 'uint8', flagsOf(flags, classes.length, rows), [rows.length, classes.length]);
		}
		if (groups !== null)
			await writeArray(join(folder, `${name}_${group}.npy`), 'int32', Int32Array.from(valuesOf(groups.rows, assignment, split)));
	}
}
