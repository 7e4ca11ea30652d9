import type { TableManifest } from '@steelyard/contracts';
import { type Assignment } from './assign.js';
import type { Feature } from './featuriser.js';
import { fitOf } from './fit.js';
import type { Column } from './infer.js';
import type { Survey } from './survey.js';
import { allRows, type TableFile } from './table-files.js';

export type FittedColumn = { readonly column: Column; readonly feature: Feature };
/** A modality, with the columns of it that say something in the training rows. */
export type FittedModality = { readonly name: string; readonly columns: readonly FittedColumn[] };

/** Learns the features from the training rows. Columns and modalities that say nothing there are left out. */
export async function fitModalities(
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
