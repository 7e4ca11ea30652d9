import type { Manifest, TaskProfile, TaskType } from '@steelyard/contracts';
import { type CanonicalFolder, labelsFile } from './canonical-folder.js';
import type { Member } from './member.js';
import { addMoment, deviation, emptyMoments } from './moments.js';
import { shapeText } from './npy-header.js';
import { type NpyArray, readNpy } from './npy-reader.js';
import { type Place, refusal } from './refusal.js';
import { rowsOfOne, someRows } from './row-count.js';

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, axis) => product * axis, 1);

/** The most classes or labels, as in the schema of the manifest. */
const MAX_CLASSES = 100_000;

/** The most classes of positions without names that a profile names, and the most classes that a split counts: every answer about the dataset carries both. */
const MAX_LISTED = 1000;
/** The label of positions that do not count, unless the manifest says otherwise: that of PyTorch. */
const IGNORE_INDEX = -100;

/** The labels of a split; `summary` and `ignored` go into the profile. */
export type SplitLabels = { readonly rows: number; readonly summary: Record<string, number>; readonly ignored?: number };

/** The number of labels of each class, by the index of the class. */
type Counts = number[];

const isWhole = (value: number): boolean => Number.isInteger(value) && value >= 0;

/** The shape of labels of one value per row, `[rows]`, or per position, `[rows, …positions]`, which are those of `expected` where it is known. */
function shapeOfLabels(array: NpyArray, perPosition: boolean, expected?: readonly number[]): readonly number[] {
	const { file, header } = array;
	const { shape } = header;
	if (!perPosition) return [rowsOfOne(array)];
	if (expected !== undefined && shape.slice(1).join() !== expected.join())
		throw refusal(file, `shape (rows, ${expected.join(', ')}), as train has`, shapeText(shape));
	if (shape.length < 2 || shape.slice(1).includes(0))
		throw refusal(file, 'shape (rows, …positions), by "per": "position" of manifest.json', shapeText(shape));
	someRows(file, shape);
	return shape;
}

/** The place of a flat index in labels of that shape. */
function placeOf(shape: readonly number[], flat: number): Place {
	const width = sizeOf(shape.slice(1));
	const row = Math.floor(flat / width);
	const at = flat % width;
	const last = shape.at(-1) as number;
	if (shape.length === 1) return { row };
	return shape.length === 2 ? { row, step: at } : { row, step: Math.floor(at / last), column: at % last };
}

/** Refuses labels of positions none of which counts: there is nothing to learn or to judge. */
function someCounted(file: string, shape: readonly number[], ignored: number, ignoredLabel: string): void {
	if (ignored === sizeOf(shape)) throw refusal(file, `at least one position that counts`, `only ${ignoredLabel}`);
}

/**
 * Copies class indices as int32 and counts them; every index is whole, at least 0 and below `limit`. A label equal to `ignoreIndex`, of positions, does not count and
 * becomes -1.
 */
async function copyClasses(
	array: NpyArray,
	shape: readonly number[],
	target: CanonicalFolder,
	name: string,
	{ limit, ignoreIndex }: { limit: number; ignoreIndex: number | null },
): Promise<{ counts: Counts; ignored: number }> {
	const counts: Counts = [];
	const besides = ignoreIndex === null ? '' : `, or ${ignoreIndex} for a position that does not count`;
	let ignored = 0;
	await target.writeArray(name, 'int32', shape, async (append) => {
		for await (const { start, values } of array.blocks()) {
			const out = new Int32Array(values.length);
			for (let i = 0; i < values.length; i++) {
				const label = Number(values[i]);
				if (label === ignoreIndex) {
					out[i] = -1;
					ignored++;
					continue;
				}
				if (!isWhole(label) || label >= limit)
					throw refusal(
						array.file,
						`a class, a whole number from 0 to ${limit - 1}${besides}`,
						String(values[i]),
						placeOf(shape, start + i),
					);
				out[i] = label;
				while (counts.length <= label) counts.push(0);
				counts[label] = (counts[label] as number) + 1;
			}
			await append(out);
		}
	});
	if (ignoreIndex !== null) someCounted(array.file, shape, ignored, String(ignoreIndex));
	return { counts, ignored };
}

/** Copies the values of a regression as float32, and takes their moments; of positions, NaN does not count. */
async function copyTargets(
	array: NpyArray,
	shape: readonly number[],
	target: CanonicalFolder,
	name: string,
	perPosition: boolean,
): Promise<SplitLabels> {
	const moments = emptyMoments();
	let ignored = 0;
	await target.writeArray(name, 'float32', shape, async (append) => {
		for await (const { start, values } of array.blocks()) {
			const out = new Float32Array(values.length);
			for (let i = 0; i < values.length; i++) {
				out[i] = Number(values[i]);
				if (perPosition && Number.isNaN(out[i])) ignored++;
				else if (Number.isFinite(out[i])) addMoment(moments, out[i] as number);
				else
					throw refusal(
						array.file,
						`a finite float32${perPosition ? ', or NaN for a position that does not count' : ''}`,
						String(values[i]),
						placeOf(shape, start + i),
					);
			}
			await append(out);
		}
	});
	const summary = { mean: moments.mean, std: deviation(moments), min: moments.min, max: moments.max };
	const rows = shape[0] as number;
	if (!perPosition) return { rows, summary };
	someCounted(array.file, shape, ignored, 'NaN');
	return { rows, summary, ignored };
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

/** How many labels each class has, by its name, or its number where classes have none; of many classes those of the most frequent. */
function byName(classes: readonly string[], counts: Counts): Record<string, number> {
	const order = classes.map((_, i) => i);
	if (classes.length > MAX_LISTED) order.sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0) || a - b);
	return Object.fromEntries(order.slice(0, MAX_LISTED).map((i) => [classes[i] as string, counts[i] ?? 0]));
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

/** The names of the classes: those of the manifest, else 0, 1, … up to the largest label of the training split, which must have rows of each of them. */
function classesOf(
	file: string,
	counts: Counts,
	named: readonly string[] | undefined,
	type: TaskType | undefined,
	ignoreIndex: number | null,
): readonly string[] {
	const present = counts.filter((count) => count > 0).length;
	if (present < 2) throw refusal(file, 'at least 2 classes in the training split', `${present}`);
	if (named !== undefined) return named;
	const absent = counts.findIndex((count, i) => count === 0 && i !== ignoreIndex);
	if (absent >= 0)
		throw refusal(
			file,
			'classes numbered from 0 without gaps, or their names or number as task.classes or task.class_count in a manifest',
			`no row of class ${absent}, though one of ${counts.length - 1}`,
		);
	if (type === 'binary' && counts.length > 2) throw refusal(file, '2 classes for a binary task', `${counts.length}`);
	return numbered(counts.length);
}

/** What a profile says of a task whose positions have labels, beside the rest; nothing where the rows have them. */
const positionsOf = (shape: readonly number[], ignoreIndex: number | null): Pick<TaskProfile, 'positions' | 'ignore_index'> => ({
	...(shape.length > 1 ? { positions: shape.slice(1) } : {}),
	...(ignoreIndex === null ? {} : { ignore_index: ignoreIndex }),
});

/** Several labels of a row can be flags of the row or labels of its positions: refuses them where no manifest settles it. */
function settled({ file, header: { shape } }: NpyArray): void {
	if (shape.length < 2 || (shape.length === 2 && shape[1] === 1)) return;
	throw refusal(
		file,
		'one value per row, of shape (rows,), or a manifest.json whose task says what several labels of a row are: ' +
			'"per": "position" for a label of each position, or "type": "multilabel" for 0 and 1 of each label',
		`shape ${shapeText(shape)}`,
	);
}

/** Reads the labels of the training split, which decide the task where the manifest leaves it open. */
export async function readTrainLabels(
	member: Member,
	manifest: Manifest | null,
	target: CanonicalFolder,
): Promise<SplitLabels & { task: TaskProfile }> {
	const name = labelsFile('train');
	return readNpy(member, async (array) => {
		const { type: given, class_count: count, per, ignore_index: stated = IGNORE_INDEX } = manifest?.task ?? {};
		const named = count === undefined ? manifest?.task.classes : numbered(count);
		const perPosition = per === 'position';
		if (given !== 'multilabel' && !perPosition) settled(array);
		const type = given ?? (array.header.element.kind === 'float' ? 'regression' : 'multiclass');
		if (type === 'multilabel') {
			const outputs = array.header.shape[1];
			if (named !== undefined && outputs !== named.length)
				throw refusal(member.name, `shape (rows, ${named.length}), one column per class`, shapeText(array.header.shape));
			const { rows, counts } = await copyFlags(array, target, name);
			const classes = named ?? numbered(counts.length);
			return { task: { type, classes: [...classes], outputs: classes.length }, rows, summary: byName(classes, counts) };
		}
		const shape = shapeOfLabels(array, perPosition);
		const rows = shape[0] as number;
		if (type === 'regression')
			return {
				task: { type, classes: [], outputs: 1, ...positionsOf(shape, null) },
				...(await copyTargets(array, shape, target, name, perPosition)),
			};
		const ignoreIndex = perPosition ? stated : null;
		const limit = named?.length ?? (given === 'binary' ? 2 : MAX_CLASSES);
		const { counts, ignored } = await copyClasses(array, shape, target, name, { limit, ignoreIndex });
		const classes = classesOf(member.name, counts, named, given, ignoreIndex);
		const decided = given ?? (classes.length === 2 ? 'binary' : 'multiclass');
		const outputs = decided === 'binary' ? 1 : classes.length;
		const listed = perPosition && manifest?.task.classes === undefined && classes.length > MAX_LISTED ? [] : [...classes];
		const task: TaskProfile = { type: decided, classes: listed, outputs, ...positionsOf(shape, ignoreIndex) };
		return perPosition ? { task, rows, summary: byName(classes, counts), ignored } : { task, rows, summary: byName(classes, counts) };
	});
}

/** Reads the labels of a further split, which must fit the task. */
export async function readLabels(member: Member, split: string, task: TaskProfile, target: CanonicalFolder): Promise<SplitLabels> {
	const name = labelsFile(split);
	return readNpy(member, async (array) => {
		if (task.type === 'multilabel') {
			if (array.header.shape[1] !== task.outputs)
				throw refusal(member.name, `shape (rows, ${task.outputs}), as train has`, shapeText(array.header.shape));
			const { rows, counts } = await copyFlags(array, target, name);
			return { rows, summary: byName(task.classes, counts) };
		}
		const perPosition = task.positions !== undefined;
		const shape = shapeOfLabels(array, perPosition, task.positions);
		const rows = shape[0] as number;
		if (task.type === 'regression') return copyTargets(array, shape, target, name, perPosition);
		const limit = task.type === 'binary' ? 2 : task.outputs;
		const { counts, ignored } = await copyClasses(array, shape, target, name, { limit, ignoreIndex: task.ignore_index ?? null });
		if (!perPosition) return { rows, summary: byName(task.classes, counts) };
		return { rows, summary: byName(task.classes.length === 0 ? numbered(limit) : task.classes, counts), ignored };
	});
}
