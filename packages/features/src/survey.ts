import { ProblemError, type TableManifest } from '@steelyard/contracts';
import { missingTexts, numberOf, textOf } from './cells.js';
import { BEYOND, Codes, NONE } from './codes.js';
import { secondsOf } from './dates.js';
import { Growing } from './growing.js';
import { infer, numberText, type Reading } from './infer.js';
import { rolesOf } from './roles.js';
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
	/** The label of each row: the number of a class, or a value; NaN where it has none. */
	readonly labels: Float64Array;
	/** The split that the cell of each row names; null without such a column. */
	readonly splits: Codes | null;
	/** The code of each row's group; null without such a column. */
	readonly groups: Codes | null;
	/** Seconds of each row, NaN where it has none; null without such a column. */
	readonly times: Float64Array | null;
};

/** Different values that are counted: of the label, of any other column, and of all columns together. */
const MOST_LABELS = 20_000;
const MOST_DISTINCT = { each: 20_000, all: 1_000_000 };
const MOST_SPLITS = 64;
const MOST_GROUPS = 1_000_000;

/** Labels of rows as the cells have them: texts and numbers. */
type RawLabels = { readonly codes: Codes; readonly dot: Growing<Float64Array>; readonly comma: Growing<Float64Array> };

/** The class or value of each row. Throws ProblemError for a label that none of the manifest's classes is. */
function labelsOf({ codes, dot, comma }: RawLabels, { task, label: { name, reading } }: Reading): Float64Array {
	if (task.classes === null) return reading.decimal === ',' ? comma.values : dot.values;
	const { classes } = task;
	const places = new Map(classes.map((text, place) => [text, place]));
	const texts = codes.texts;
	const classOf = texts.map((text) => places.get(text) ?? (task.numeric ? places.get(numberText(text, reading)) : undefined));
	return Float64Array.from(codes.rows, (code, row) => {
		if (code === NONE) return Number.NaN;
		const found = code === BEYOND ? undefined : classOf[code];
		if (found === undefined)
			throw new ProblemError(
				'invalid_dataset',
				`The label ${JSON.stringify(name)}, row ${row}: expected one of ${classes
					.slice(0, 10)
					.map((text) => JSON.stringify(text))
					.join(', ')}${classes.length > 10 ? ', …' : ''}, found ${JSON.stringify((texts[code] ?? 'another').slice(0, 60))}`,
				'manifest.task.classes',
			);
		return found;
	});
}

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
	const scans = names.map((name) => new ColumnScan(missing, name === roles.label ? MOST_LABELS : most));
	const placeOf = (name: string | null): number => (name === null ? -1 : names.indexOf(name));
	const [label, split, group, time] = [placeOf(roles.label), placeOf(roles.split), placeOf(roles.group), placeOf(roles.time)];
	const labels: RawLabels = { codes: new Codes(MOST_LABELS), dot: new Growing(new Float64Array()), comma: new Growing(new Float64Array()) };
	const splits = split < 0 ? null : new Codes(MOST_SPLITS);
	const groups = group < 0 ? null : new Codes(MOST_GROUPS);
	const times = time < 0 ? null : { monthFirst: new Growing(new Float64Array()), dayFirst: new Growing(new Float64Array()) };
	const fileOfRow = new Growing(new Int32Array());
	for await (const { rows, file, first } of allRows(files)) {
		const fileNumber = files.indexOf(file);
		for (const row of rows) {
			for (let c = 0; c < scans.length; c++) (scans[c] as ColumnScan).add(row[c] ?? null);
			const text = textOf(row[label] ?? null, missing);
			labels.codes.add(text);
			labels.dot.push(text === null ? Number.NaN : numberOf(text, '.'));
			labels.comma.push(text === null ? Number.NaN : numberOf(text, ','));
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
	const reading = infer(names, scans, roles, manifest);
	const dayFirst = reading.time?.reading.dayFirst ?? false;
	return {
		reading,
		scans,
		rows: fileOfRow.length,
		files: Uint8Array.from(fileOfRow.values),
		labels: labelsOf(labels, reading),
		splits,
		groups,
		times: times === null ? null : dayFirst ? times.dayFirst.values : times.monthFirst.values,
	};
}
