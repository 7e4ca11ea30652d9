import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DatasetProfile, ProblemError, type TableManifest } from '@steelyard/contracts';
import { DEFAULT_LIMITS, type IngestOptions, ingest, KeptRows } from '@steelyard/dataset';
import { createSession } from '@steelyard/runtime';
import type { Table } from '@steelyard/table';
import { type Assignment, assign, countsOf } from './assign.js';
import { missingTexts } from './cells.js';
import { tableProfile } from './column-profiles.js';
import { type FeaturisedModality, type Featuriser, featureNames, idsOf, isStandard, markedOf, widthOf } from './featuriser.js';
import { type FittedModality, fitModalities } from './fit-modalities.js';
import { featuriserModel } from './graph.js';
import type { Reading } from './infer.js';
import { type Survey, survey } from './survey.js';
import { filesOf } from './table-files.js';
import { transform } from './transform.js';
import { writeArray, writeLabels } from './write-labels.js';

/** The files of a dataset that was a table: the graph of its features, and what that was made of. */
export const FEATURISER_FILE = 'features.onnx';
export const RECIPE_FILE = 'features.json';

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

const GROUP = 'group';

/** A name of a file that no modality takes. */
function groupName(modalities: readonly FittedModality[]): string {
	let name = GROUP;
	while (modalities.some((modality) => modality.name === name)) name = `${name}_`;
	return name;
}

/** How the arrays of a modality are read: features are standardised already, sequences are as they were in the table, tokens are ids. */
function scaleOf(modality: FeaturisedModality): { standardize?: false; tokens?: number } {
	const marked = markedOf(modality);
	if (marked === null) return { standardize: false };
	return marked.kind === 'tokens' ? { tokens: idsOf(marked) } : {};
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
					...scaleOf(modality),
				},
			]),
		),
		splits: Object.fromEntries(names.filter((name) => !['train', 'valid', 'test'].includes(name)).map((name) => [name, true])),
		...(group === null ? {} : { group }),
	};
}

export type IngestTableOptions = Omit<IngestOptions, 'written'> & {
	/** An empty folder for what is made on the way; on the disk of the target. */
	work: string;
};

/**
 * Reads tables (one, or one for each split), fits their features on the training rows, and writes all rows as a dataset in canonical form into `target`, an existing empty
 * folder, with the graph of the features and the first rows of each split as they were. Each file is read three times: to see what its columns are, to fit, and to transform.
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
	const modalities = await fitModalities(files, found, assignment, manifest);
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
	// Not optimised: with thousands of columns that would take minutes, for little.
	const session = await createSession(featuriserModel(featuriserWith(() => true)));
	const kept = new KeptRows(assignment.names, files[0]?.table.columns ?? [], new Set(found.reading.labels.map(({ name }) => name)));
	const { masks, written } = await transform(files, session, modalities, assignment, arrays, kept).finally(() => session.release());
	const lacks = (name: string): boolean => masks.get(name)?.some((mask) => mask.includes(0)) === true;
	for (const [name, bySplit] of masks)
		if (lacks(name))
			for (const [split, mask] of bySplit.entries())
				await writeArray(join(arrays, `${assignment.names[split]}_${name}_mask.npy`), 'uint8', mask);
	const featuriser = featuriserWith(lacks);
	const group = found.groups === null ? null : groupName(modalities);
	await writeLabels(found, assignment, arrays, group ?? GROUP);
	await writeFile(join(arrays, 'manifest.json'), JSON.stringify(arraysManifest(found.reading, featuriser, assignment, group, manifest)));
	const { profile } = await ingest(arrays, target, { ...options, written });
	await writeFile(join(target, FEATURISER_FILE), featuriserModel(featuriser));
	await writeFile(join(target, RECIPE_FILE), JSON.stringify(featuriser));
	await kept.write(target);
	const features = new Map(modalities.flatMap(({ columns }) => columns.map(({ column, feature }) => [column.name, feature])));
	const table = { ...tableProfile(found, files, { features, dropped: assignment.dropped }), standard: isStandard(featuriser) };
	return { profile: { ...profile, table } };
}
