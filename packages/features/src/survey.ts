import { ProblemError, type TableManifest } from '@steelyard/contracts';
import { missingTexts, textOf } from './cells.js';
import { Codes } from './codes.js';
import { secondsOf } from './dates.js';
import { Growing } from './growing.js';
import { type Column, infer, type Reading } from './infer.js';
import { labelReader } from './label-reader.js';
import { rolesOf } from './roles.js';
import { MOST_LABELS, type RowLabels } from './row-labels.js';
import { RowSample } from './row-sample.js';
import { ColumnScan } from './scan.js';
import { shareOf } from './share.js';
import { allRows, type TableFile } from './table-files.js';

/** What a first look at all rows found. */
export type Survey = {
	readonly reading: Reading;
	readonly scans: readonly ColumnScan[];
	readonly rows: number;
	/** The file of each row, as an index of the files. */
	readonly files: Uint8Array;
	readonly labels: RowLabels;
	/** The split that the cell of each row names; null without such a column. */
	readonly splits: Codes | null;
	/** The code of each row's group; null without such a column. */
	readonly groups: Codes | null;
	/** Seconds of each row, NaN where it has none; null without such a column. */
	readonly times: Float64Array | null;
};

/** Different values that are counted: of a column, and of all columns together. */
const MOST_DISTINCT = { each: 20_000, all: 1_000_000 };
/** Rows whose cells are kept as numbers: of a column, and of all columns together. */
const SAMPLED = { each: 5000, all: 1_000_000 };
const MOST_SPLITS = 64;
const MOST_GROUPS = 1_000_000;

/** Reads all rows once (or the first `head` or some more) and decides how the table is read. Throws ProblemError. */
export async function survey(
	files: readonly TableFile[],
	manifest: TableManifest,
	{ head = Number.POSITIVE_INFINITY }: { head?: number } = {},
): Promise<Survey> {
	const names = files[0]?.table.columns ?? [];
	const missing = missingTexts(manifest);
	const roles = rolesOf(names, manifest);
	const most = shareOf(MOST_DISTINCT, names.length);
	const sampled = shareOf(SAMPLED, names.length);
	const sample = new RowSample(sampled);
	const scans = names.map((name) => new ColumnScan(missing, roles.labels.includes(name) ? MOST_LABELS : most, sampled));
	const placeOf = (name: string | null): number => (name === null ? -1 : names.indexOf(name));
	const [split, group, time] = [placeOf(roles.split), placeOf(roles.group), placeOf(roles.time)];
	const labelPlaces = roles.labels.map(placeOf);
	const labels = labelReader({ names: roles.labels, missing, separator: manifest.label_separator });
	const splits = split < 0 ? null : new Codes(MOST_SPLITS);
	const groups = group < 0 ? null : new Codes(MOST_GROUPS);
	const times = time < 0 ? null : { monthFirst: new Growing(new Float64Array()), dayFirst: new Growing(new Float64Array()) };
	const fileOfRow = new Growing(new Uint8Array());
	for await (const { rows, file, first } of allRows(files)) {
		const fileNumber = files.indexOf(file);
		for (const row of rows) {
			const slot = sample.next();
			for (let c = 0; c < scans.length; c++) (scans[c] as ColumnScan).add(row[c] ?? null, slot);
			labels.add(
				labelPlaces.map((place) => row[place] ?? null),
				fileOfRow.length,
			);
			splits?.add(textOf(row[split] ?? null, missing));
			groups?.add(textOf(row[group] ?? null, missing));
			if (times !== null) {
				const moment = textOf(row[time] ?? null, missing) ?? '';
				times.monthFirst.push(secondsOf(moment, false));
				times.dayFirst.push(secondsOf(moment, true));
			}
			fileOfRow.push(fileNumber);
		}
		if (first + rows.length >= head) break;
	}
	if (fileOfRow.length === 0)
		throw new ProblemError('invalid_dataset', 'The dataset: expected rows below the names of the columns, found none', 'file');
	const reading = infer(names, scans, roles, manifest, labels.several());
	const dayFirst = reading.time?.reading.dayFirst ?? false;
	return {
		reading,
		scans,
		rows: fileOfRow.length,
		files: fileOfRow.values,
		labels: labels.labels(reading.task, (reading.labels[0] as Column).reading),
		splits,
		groups,
		times: times === null ? null : dayFirst ? times.dayFirst.values : times.monthFirst.values,
	};
}
