import type { Manifest, TaskProfile, TaskType } from '@steelyard/contracts';
import { type CanonicalFolder, labelsFile } from './canonical-folder.js';
import type { Member } from './member.js';
import { addMoment, deviation, emptyMoments } from './moments.js';
import { shapeText } from './npy-header.js';
import { type NpyArray, readNpy } from './npy-reader.js';
import { refusal } from './refusal.js';
import { rowsOfOne, someRows } from './row-count.js';

/** The most classes or labels, as in the schema of the manifest. */
const MAX_CLASSES = 100_000;

/** The labels of a split; `summary` goes into the profile. */
export type SplitLabels = { readonly rows: number; readonly summary: Record<string, number> };

/** The number of rows of each class, by the index of the class. */
type Counts = number[];

const isWhole = (value: number): boolean => Number.isInteger(value) && value >= 0;

/** Copies class indices of `[rows]` as int32 and counts them; every index is whole, at least 0 and below `limit`. */
async function copyClasses(
	array: NpyArray,
	target: CanonicalFolder,
	name: string,
	limit: number,
): Promise<{ rows: number; counts: Counts }> {
	const rows = rowsOfOne(array);
	const counts: Counts = [];
	await target.writeArray(name, 'int32', [rows], async (append) => {
		for await (const { start, values } of array.blocks()) {
			const out = new Int32Array(values.length);
			for (let i = 0; i < values.length; i++) {
				const label = Number(values[i]);
				if (!isWhole(label) || label >= limit)
					throw refusal(array.file, `a class, a whole number from 0 to ${limit - 1}`, String(values[i]), { row: start + i });
				out[i] = label;
				while (counts.length <= label) counts.push(0);
				counts[label] = (counts[label] as number) + 1;
			}
			await append(out);
		}
	});
	return { rows, counts };
}

/** Copies the values of a regression, `[rows]`, as float32, and takes their moments. */
async function copyTargets(array: NpyArray, target: CanonicalFolder, name: string): Promise<SplitLabels> {
	const rows = rowsOfOne(array);
	const moments = emptyMoments();
	await target.writeArray(name, 'float32', [rows], async (append) => {
		for await (const { start, values } of array.blocks()) {
			const out = new Float32Array(values.length);
			for (let i = 0; i < values.length; i++) {
				out[i] = Number(values[i]);
				if (!Number.isFinite(out[i])) throw refusal(array.file, 'a finite float32', String(values[i]), { row: start + i });
				addMoment(moments, out[i] as number);
			}
			await append(out);
		}
	});
	return { rows, summary: { mean: moments.mean, std: deviation(moments), min: moments.min, max: moments.max } };
}

/** Copies `[rows, outputs]` of exact 0 and 1 as float32 and counts the ones of each output. */
async function copyFlags(array: NpyArray, target: CanonicalFolder, name: string): Promise<{ rows: number; counts: Counts }> {
	const { shape } = array.header;
	const [, outputs = 0] = shape;
	if (shape.length !== 2 || outputs === 0 || outputs > MAX_CLASSES)
		throw refusal(array.file, `shape (rows, labels) of 1 to ${MAX_CLASSES} labels for a multilabel task`, shapeText(shape));
	const rows = someRows(array.file, shape);
	const counts: Counts = Array.from({ length: outputs }, () => 0);
	await target.writeArray(name, 'float32', [rows, outputs], async (append) => {
		for await (const { start, values } of array.blocks()) {
			const out = new Float32Array(values.length);
			for (let i = 0; i < values.length; i++) {
				const flag = Number(values[i]);
				const column = (start + i) % outputs;
				if (flag !== 0 && flag !== 1)
					throw refusal(array.file, '0 or 1', String(values[i]), { row: Math.floor((start + i) / outputs), column });
				out[i] = flag;
				counts[column] = (counts[column] as number) + flag;
			}
			await append(out);
		}
	});
	return { rows, counts };
}

const byName = (classes: readonly string[], counts: Counts): Record<string, number> =>
	Object.fromEntries(classes.map((name, i) => [name, counts[i] ?? 0]));

/** The names of the classes: those of the manifest, else 0, 1, … up to the largest label of the training split, which must have rows of each of them. */
function classesOf(file: string, counts: Counts, named: readonly string[] | undefined, type: TaskType | undefined): readonly string[] {
	const present = counts.filter((count) => count > 0).length;
	if (present < 2) throw refusal(file, 'at least 2 classes in the training split', `${present}`);
	if (named !== undefined) return named;
	const absent = counts.indexOf(0);
	if (absent >= 0)
		throw refusal(
			file,
			'classes numbered from 0 without gaps, or named in a manifest',
			`no row of class ${absent}, though one of ${counts.length - 1}`,
		);
	if (type === 'binary' && counts.length > 2) throw refusal(file, '2 classes for a binary task', `${counts.length}`);
	return counts.map((_, i) => String(i));
}

/** Reads the labels of the training split, which decide the task where the manifest leaves it open. */
export async function readTrainLabels(
	member: Member,
	manifest: Manifest | null,
	target: CanonicalFolder,
): Promise<SplitLabels & { task: TaskProfile }> {
	const name = labelsFile('train');
	return readNpy(member, async (array) => {
		const given = manifest?.task.type;
		const named = manifest?.task.classes;
		const type = given ?? (array.header.element.kind === 'float' ? 'regression' : 'multiclass');
		if (type === 'regression') return { task: { type, classes: [], outputs: 1 }, ...(await copyTargets(array, target, name)) };
		if (type === 'multilabel') {
			const outputs = array.header.shape[1];
			if (named !== undefined && outputs !== named.length)
				throw refusal(member.name, `shape (rows, ${named.length}), one column per class`, shapeText(array.header.shape));
			const { rows, counts } = await copyFlags(array, target, name);
			const classes = named ?? counts.map((_, i) => String(i));
			return { task: { type, classes: [...classes], outputs: classes.length }, rows, summary: byName(classes, counts) };
		}
		const limit = named?.length ?? (given === 'binary' ? 2 : MAX_CLASSES);
		const { rows, counts } = await copyClasses(array, target, name, limit);
		const classes = classesOf(member.name, counts, named, given);
		const settled = given ?? (classes.length === 2 ? 'binary' : 'multiclass');
		const outputs = settled === 'binary' ? 1 : classes.length;
		return { task: { type: settled, classes: [...classes], outputs }, rows, summary: byName(classes, counts) };
	});
}

/** Reads the labels of a further split, which must fit the task. */
export async function readLabels(member: Member, split: string, task: TaskProfile, target: CanonicalFolder): Promise<SplitLabels> {
	const name = labelsFile(split);
	return readNpy(member, async (array) => {
		if (task.type === 'regression') return copyTargets(array, target, name);
		if (task.type === 'multilabel') {
			if (array.header.shape[1] !== task.outputs)
				throw refusal(member.name, `shape (rows, ${task.outputs}), as train has`, shapeText(array.header.shape));
			const { rows, counts } = await copyFlags(array, target, name);
			return { rows, summary: byName(task.classes, counts) };
		}
		const { rows, counts } = await copyClasses(array, target, name, task.classes.length);
		return { rows, summary: byName(task.classes, counts) };
	});
}
