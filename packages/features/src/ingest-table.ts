import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DatasetProfile, ProblemError, type TableManifest } from '@steelyard/contracts';
import { DEFAULT_LIMITS, type IngestOptions, ingest, type NpyWriter, openNpyWriter } from '@steelyard/dataset';
import { createSession, type Session, type Tensor } from '@steelyard/runtime';
import type { Table } from '@steelyard/table';
import { type Assignment, assign, DROPPED, flagsOf } from './assign.js';
import { missingTexts } from './cells.js';
import { tableProfile } from './column-profiles.js';
import { type Feature, type FeaturisedModality, type Featuriser, featureNames, isStandard, sequenceOf, widthOf } from './featuriser.js';
import { type FedColumn, feedsOf } from './feeds.js';
import { fitOf } from './fit.js';
import { featuresName, featuriserModel, inputName, maskInputName, presenceName } from './graph.js';
import type { Column, Reading } from './infer.js';
import { type Survey, survey } from './survey.js';
import { allRows, filesOf, type TableFile } from './table-files.js';

/** Rows that go through the graph at a time, at most and at least, and numbers that it may give for them: as many as the cache of a processor holds. */
const ROWS = { most: 2048, least: 16 };
const NUMBERS = 2 ** 18;

/** Rows of so many numbers that go through the graph at a time: a power of 2, so that the runtime computes as many of them as may be by its vectors. */
const rowsTogether = (width: number): number =>
	Math.max(ROWS.least, Math.min(ROWS.most, 2 ** Math.floor(Math.log2(NUMBERS / Math.max(1, width)))));

/** The files of a dataset that was a table: the graph of its features, and what that was made of. */
export const FEATURISER_FILE = 'features.onnx';
export const RECIPE_FILE = 'features.json';

type FittedColumn = { readonly column: Column; readonly feature: Feature };
type FittedModality = { readonly name: string; readonly columns: readonly FittedColumn[] };

/** Learns the features from the training rows. Columns and modalities that say nothing there are left out. */
async function fit(
	files: readonly TableFile[],
	{ reading }: Survey,
	assignment: Assignment,
	manifest: TableManifest,
): Promise<FittedModality[]> {
	const train = assignment.names.indexOf('train');
	const columns = [...reading.modalities.values()].flat();
	const alike = (kind: Column['kind']): number => columns.filter((column) => column.kind === kind).length;
	const fits = columns.map((column) => ({ column, fit: fitOf(column, manifest, alike(column.kind)) }));
	for await (const { first, rows } of allRows(files))
		rows.forEach((row, i) => {
			if (assignment.rows[first + i] !== train) return;
			for (const { column, fit: own } of fits) own.add(row[column.place] ?? null);
		});
	const features = new Map(fits.map(({ column, fit: own }) => [column, own.feature()]));
	return [...reading.modalities].flatMap(([name, columns]) => {
		const fitted = columns.flatMap((column) => {
			const feature = features.get(column);
			return feature ? [{ column, feature }] : [];
		});
		return fitted.length === 0 ? [] : [{ name, columns: fitted }];
	});
}

/** The rows of each split, in the order of the table. */
function countsOf({ names, rows }: Assignment): number[] {
	const counts = names.map(() => 0);
	for (const split of rows) if (split !== DROPPED) counts[split] = (counts[split] as number) + 1;
	return counts;
}

/** Refuses features that would be more bytes than a dataset may have, before any is written. */
function expectRoom({ scans }: Survey, modalities: readonly FittedModality[], assignment: Assignment, most: number): void {
	const rows = countsOf(assignment).reduce((sum, count) => sum + count, 0);
	const widest = modalities.flatMap(({ columns }) => columns).sort((a, b) => widthOf(b.feature) - widthOf(a.feature))[0];
	const width = modalities.flatMap(({ columns }) => columns).reduce((sum, { feature }) => sum + widthOf(feature), 0);
	const bytes = 4 * rows * width;
	if (bytes <= most || widest === undefined) return;
	const lists = scans[widest.column.place]?.lists;
	if (widest.feature.kind === 'sequence' && lists)
		throw new ProblemError(
			'invalid_dataset',
			`Column ${JSON.stringify(widest.column.name)}, row ${lists.mostRow}: expected features of at most ${most} bytes with every list filled up to the longest, found ${bytes}, for this row has ${lists.most} steps: cut the longest lists, or divide them`,
			'columns',
		);
	throw new ProblemError(
		'invalid_dataset',
		`The dataset: expected features of at most ${most} bytes, found ${bytes}: ${rows} rows of ${width} numbers, of which ${JSON.stringify(widest.column.name)} gives ${widthOf(widest.feature)}; fewer "texts": {"terms"} or "categories": {"most"} in the manifest take less`,
		'manifest',
	);
}

/** Where the features of a modality in a split go; those of a sequence with the mask of its `steps`. */
type Output = {
	readonly writer: NpyWriter;
	readonly width: number;
	readonly mask: { readonly writer: NpyWriter; readonly steps: number } | null;
};

/** The files for a modality in a split of some rows. */
async function openOutput(folder: string, split: string, { name, columns }: FittedModality, rows: number): Promise<Output> {
	const features = columns.map(({ feature }) => feature);
	const width = features.reduce((sum, feature) => sum + widthOf(feature), 0);
	const open = (file: string, type: 'float32' | 'uint8', shape: readonly number[]): Promise<NpyWriter> =>
		openNpyWriter(join(folder, `${split}_${file}.npy`), type, [rows, ...shape]);
	const sequence = sequenceOf({ features });
	if (sequence === null) return { width, writer: await open(name, 'float32', [width]), mask: null };
	const { steps } = sequence;
	const writer = await open(name, 'float32', [steps, width / steps]);
	return { width, writer, mask: { writer: await open(`${name}_mask`, 'uint8', [steps]), steps } };
}

/** Closes the files of all modalities. */
async function closeOutputs(outputs: ReadonlyMap<string, readonly Output[]>): Promise<void> {
	for (const { writer, mask } of [...outputs.values()].flat()) {
		await writer.close();
		await mask?.writer.close();
	}
}

/** Some rows of a matrix, in their order. */
function rowsOf({ data }: Tensor, width: number, places: readonly number[]): Float32Array {
	const all = data as Float32Array;
	const out = new Float32Array(places.length * width);
	places.forEach((place, i) => out.set(all.subarray(place * width, (place + 1) * width), i * width));
	return out;
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

/**
 * The features of all rows, by the graph: one file for each split and modality, and one for the mask of a sequence. Gives the mask of each other modality by split, 1
 * where it has something.
 */
async function transform(
	files: readonly TableFile[],
	session: Session,
	modalities: readonly FittedModality[],
	assignment: Assignment,
	folder: string,
): Promise<Map<string, Uint8Array[]>> {
	const counts = countsOf(assignment);
	const columns = modalities.flatMap(({ columns: own }) => own.map(fedColumn));
	const ofRows = modalities.filter(({ columns: own }) => !own.some(({ feature }) => feature.kind === 'sequence'));
	const masks = new Map(ofRows.map(({ name }) => [name, counts.map((count) => new Uint8Array(count))]));
	const outputs = new Map<string, Output[]>();
	try {
		for (const modality of modalities) {
			const writers: Output[] = [];
			outputs.set(modality.name, writers);
			for (const [split, splitName] of assignment.names.entries())
				writers.push(await openOutput(folder, splitName, modality, counts[split] as number));
		}
		const width = [...outputs.values()].reduce((sum, [first]) => sum + (first?.width ?? 0), 0);
		const together = rowsTogether(width);
		const written = counts.map(() => 0);
		for await (const batch of allRows(files))
			for (let from = 0; from < batch.rows.length; from += together) {
				const rows = batch.rows.slice(from, from + together);
				const given = await session.run(feedsOf(rows, columns));
				for (const [split, at] of written.entries()) {
					const places = rows.flatMap((_, i) => (assignment.rows[batch.first + from + i] === split ? [i] : []));
					for (const [name, writers] of outputs) {
						const { writer, width: own, mask: ofSteps } = writers[split] as Output;
						await writer.append(rowsOf(given[featuresName(name)] as Tensor, own, places));
						const presence = given[presenceName(name)] as Tensor;
						if (ofSteps !== null) {
							await ofSteps.writer.append(Uint8Array.from(rowsOf(presence, ofSteps.steps, places)));
							continue;
						}
						const present = presence.data as Float32Array;
						const mask = (masks.get(name) as Uint8Array[])[split] as Uint8Array;
						places.forEach((place, i) => (mask[at + i] = present[place] === 1 ? 1 : 0));
					}
					written[split] = at + places.length;
				}
			}
	} finally {
		await closeOutputs(outputs);
	}
	return masks;
}

async function writeArray(
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
const rowsIn = ({ rows }: Assignment, split: number): number[] =>
	Array.from(rows.entries()).flatMap(([row, own]) => (own === split ? [row] : []));

/** The numbers of all rows of a split, in their order. */
const valuesOf = (all: ArrayLike<number>, assignment: Assignment, split: number): number[] =>
	rowsIn(assignment, split).map((row) => all[row] as number);

const GROUP = 'group';

/** A name of a file that no modality takes. */
function groupName(modalities: readonly FittedModality[]): string {
	let name = GROUP;
	while (modalities.some((modality) => modality.name === name)) name = `${name}_`;
	return name;
}

async function writeLabels({ labels, groups, reading }: Survey, assignment: Assignment, folder: string, group: string): Promise<void> {
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

/** What the arrays mean, as the manifest of a dataset of arrays says it. */
function arraysManifest(
	reading: Reading,
	featuriser: Featuriser,
	{ names }: Assignment,
	group: string | null,
	manifest: TableManifest,
): object {
	const { type, classes } = reading.task;
	return {
		...(manifest.name === undefined ? {} : { name: manifest.name }),
		...(manifest.title === undefined ? {} : { title: manifest.title }),
		task: { type, ...(classes === null ? {} : { classes }) },
		modalities: Object.fromEntries(
			featuriser.modalities.map((modality) => [
				modality.name,
				{
					columns: featureNames(modality).map((name) => name.slice(0, 200)),
					// Sequences are as they were in the table.
					...(sequenceOf(modality) === null ? { standardize: false } : {}),
				},
			]),
		),
		splits: Object.fromEntries(names.filter((name) => !['train', 'valid', 'test'].includes(name)).map((name) => [name, true])),
		...(group === null ? {} : { group }),
	};
}

export type IngestTableOptions = IngestOptions & {
	/** An empty folder for what is made on the way; on the disk of the target. */
	work: string;
};

/**
 * Reads tables (one, or one for each split), fits their features on the training rows, and writes all rows as a dataset in canonical form into `target`, an existing empty
 * folder, with the graph of the features. Each file is read three times: to see what its columns are, to fit, and to transform.
 * @throws ProblemError `invalid_dataset`, or TableError, with file, row and column where there is one
 */
export async function ingestTable(
	tables: readonly Table[],
	manifest: TableManifest,
	target: string,
	{ work, ...options }: IngestTableOptions,
): Promise<{ profile: DatasetProfile }> {
	const files = filesOf(tables);
	const found = await survey(files, manifest);
	const assignment = assign(found, files, manifest);
	const modalities = await fit(files, found, assignment, manifest);
	if (modalities.length === 0)
		throw new ProblemError('invalid_dataset', 'The dataset: expected a column that differs among the training rows, found none', 'file');
	expectRoom(found, modalities, assignment, options.bytes ?? DEFAULT_LIMITS.bytes);
	const arrays = join(work, 'arrays');
	await mkdir(arrays);
	const featuriserWith = (isMasked: (name: string) => boolean): Featuriser => ({
		version: 1,
		missing: [...missingTexts(manifest)],
		readings: Object.fromEntries(
			modalities.flatMap(({ columns }) =>
				columns.map(({ column: { name, reading } }) => [name, { decimal: reading.decimal, day_first: reading.dayFirst }]),
			),
		),
		modalities: modalities.map(
			({ name, columns }): FeaturisedModality => ({
				name,
				masked: isMasked(name),
				features: columns.map(({ feature }) => feature),
			}),
		),
	});
	const session = await createSession(featuriserModel(featuriserWith(() => true)), { optimisation: 'all' });
	const masks = await transform(files, session, modalities, assignment, arrays).finally(() => session.release());
	const lacks = (name: string): boolean => masks.get(name)?.some((mask) => mask.includes(0)) === true;
	for (const [name, bySplit] of masks)
		if (lacks(name))
			for (const [split, mask] of bySplit.entries())
				await writeArray(join(arrays, `${assignment.names[split]}_${name}_mask.npy`), 'uint8', mask);
	const featuriser = featuriserWith(lacks);
	const group = found.groups === null ? null : groupName(modalities);
	await writeLabels(found, assignment, arrays, group ?? GROUP);
	await writeFile(join(arrays, 'manifest.json'), JSON.stringify(arraysManifest(found.reading, featuriser, assignment, group, manifest)));
	const { profile } = await ingest(arrays, target, options);
	await writeFile(join(target, FEATURISER_FILE), featuriserModel(featuriser));
	await writeFile(join(target, RECIPE_FILE), JSON.stringify(featuriser));
	const features = new Map(modalities.flatMap(({ columns }) => columns.map(({ column, feature }) => [column.name, feature])));
	const table = { ...tableProfile(found, files, { features, dropped: assignment.dropped }), standard: isStandard(featuriser) };
	return { profile: { ...profile, table } };
}
