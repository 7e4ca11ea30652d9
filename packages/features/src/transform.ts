import { join } from 'node:path';
import { type KeptRows, type NpyWriter, openNpyWriter, type WrittenArray } from '@steelyard/dataset';
import type { Session, Tensor } from '@steelyard/runtime';
import { type Assignment, countsOf } from './assign.js';
import { markedOf, marksOf, widthOf } from './featuriser.js';
import { type FedColumn, feedsOf } from './feeds.js';
import type { FittedColumn, FittedModality } from './fit-modalities.js';
import { featuresName, inputName, maskInputName, presenceName } from './graph.js';
import { allRows, type TableFile } from './table-files.js';

/** Rows that go through the graph at a time, at most and at least, and numbers that it may give for them: as many as the cache of a processor holds. */
const ROWS = { most: 2048, least: 16 };
const NUMBERS = 2 ** 18;

/** Rows of so many numbers that go through the graph at a time: a power of 2, so that the runtime computes as many of them as may be by its vectors. */
const rowsTogether = (width: number): number =>
	Math.max(ROWS.least, Math.min(ROWS.most, 2 ** Math.floor(Math.log2(NUMBERS / Math.max(1, width)))));

/** Where the features of a modality in a split go; those of sequences and tokens with the mask of their `steps`. */
type Output = {
	readonly file: string;
	readonly writer: NpyWriter;
	readonly width: number;
	readonly mask: { readonly writer: NpyWriter; readonly steps: number } | null;
};

/** The masks by split of each modality whose mask is of rows, 1 where it has something, and the arrays that need not be read again. */
export type Transformed = { readonly masks: Map<string, Uint8Array[]>; readonly written: Map<string, WrittenArray> };

/** The files for a modality in a split of some rows. */
async function openOutput(folder: string, split: string, { name, columns }: FittedModality, rows: number): Promise<Output> {
	const features = columns.map(({ feature }) => feature);
	const width = features.reduce((sum, feature) => sum + widthOf(feature), 0);
	const file = `${split}_${name}.npy`;
	const open = (path: string, type: 'float32' | 'int32' | 'uint8', shape: readonly number[]): Promise<NpyWriter> =>
		openNpyWriter(join(folder, path), type, [rows, ...shape]);
	const marked = markedOf({ features });
	if (marked === null) return { file, width, writer: await open(file, 'float32', [width]), mask: null };
	const steps = marksOf(marked);
	const writer = marked.kind === 'tokens' ? await open(file, 'int32', [width]) : await open(file, 'float32', [steps, width / steps]);
	return { file, width, writer, mask: { writer: await open(`${split}_${name}_mask.npy`, 'uint8', [steps]), steps } };
}

/** Closes the files of all modalities. Gives what was seen of those that need not be read again. */
async function closeOutputs(outputs: ReadonlyMap<string, readonly Output[]>): Promise<Map<string, WrittenArray>> {
	const written = new Map<string, WrittenArray>();
	for (const { file, writer, mask } of [...outputs.values()].flat()) {
		await mask?.writer.close();
		const seen = await writer.close();
		if (seen !== null) written.set(file, seen);
	}
	return written;
}

/** Some rows of a matrix, in their order. */
function rowsOf<A extends Float32Array | Int32Array>({ data }: Tensor, width: number, places: readonly number[]): A {
	const all = data as A;
	const out = new (all.constructor as new (length: number) => A)(places.length * width);
	places.forEach((place, i) => out.set(all.subarray(place * width, (place + 1) * width), i * width));
	return out;
}

/** Writes some rows of a modality, and for sequences and tokens the mask of their steps; zeros for those that have nothing. Gives their mask where it is of rows. */
async function appendRows(
	{ writer, width, mask }: Output,
	features: Tensor,
	presence: Tensor,
	places: readonly number[],
): Promise<Float32Array | null> {
	const rows = rowsOf<Float32Array | Int32Array>(features, width, places);
	const present = rowsOf<Float32Array>(presence, mask?.steps ?? 1, places);
	if (mask === null) {
		for (let i = 0; i < places.length; i++) if (present[i] !== 1) rows.fill(0, i * width, (i + 1) * width);
		await writer.append(rows);
		return present;
	}
	await writer.append(rows);
	await mask.writer.append(Uint8Array.from(present));
	return null;
}

const fedColumn = ({ column, feature }: FittedColumn): FedColumn => ({
	column: column.name,
	input: inputName(column.name),
	place: column.place,
	kind: feature.kind,
	reading: column.reading,
	...(feature.kind === 'vector' ? { size: feature.size } : {}),
	...(feature.kind === 'sequence'
		? { sequence: { steps: feature.steps, features: feature.features, mask: maskInputName(column.name) } }
		: {}),
});

/** The features of all rows, by the graph: one file for each split and modality, and one for the mask of sequences and tokens. `kept` is given the first rows of each split. */
export async function transform(
	files: readonly TableFile[],
	session: Session,
	modalities: readonly FittedModality[],
	assignment: Assignment,
	folder: string,
	kept: KeptRows,
): Promise<Transformed> {
	const counts = countsOf(assignment);
	const columns = modalities.flatMap(({ columns: own }) => own.map(fedColumn));
	const ofRows = modalities.filter(({ columns: own }) => markedOf({ features: own.map(({ feature }) => feature) }) === null);
	const masks = new Map(ofRows.map(({ name }) => [name, counts.map((count) => new Uint8Array(count))]));
	const outputs = new Map<string, Output[]>();
	let written = new Map<string, WrittenArray>();
	try {
		for (const modality of modalities) {
			const writers: Output[] = [];
			outputs.set(modality.name, writers);
			for (const [split, splitName] of assignment.names.entries())
				writers.push(await openOutput(folder, splitName, modality, counts[split] as number));
		}
		const width = [...outputs.values()].reduce((sum, [first]) => sum + (first?.width ?? 0), 0);
		const together = rowsTogether(width);
		const ended = counts.map(() => 0);
		for await (const batch of allRows(files))
			for (let from = 0; from < batch.rows.length; from += together) {
				const rows = batch.rows.slice(from, from + together);
				const given = await session.run(feedsOf(rows, columns));
				for (const [split, at] of ended.entries()) {
					const places = rows.flatMap((_, i) => (assignment.rows[batch.first + from + i] === split ? [i] : []));
					if (!kept.isFull(split)) for (const place of places) kept.add(split, rows[place] ?? []);
					for (const [name, writers] of outputs) {
						const [features, presence] = [given[featuresName(name)] as Tensor, given[presenceName(name)] as Tensor];
						const present = await appendRows(writers[split] as Output, features, presence, places);
						if (present !== null) masks.get(name)?.[split]?.set(present, at);
					}
					ended[split] = at + places.length;
				}
			}
	} finally {
		written = await closeOutputs(outputs);
	}
	return { masks, written };
}
