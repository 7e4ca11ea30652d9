import type { ColumnProfile, TableProfile } from '@steelyard/contracts';
import { distributionOf } from './distribution.js';
import { type Feature, widthOf } from './featuriser.js';
import type { Survey } from './survey.js';
import type { TableFile } from './table-files.js';

/** What became of each column. `features`: those that were fitted, by the name of the column; null before. */
function columnProfiles({ reading, scans }: Survey, features: ReadonlyMap<string, Feature> | null): ColumnProfile[] {
	return reading.columns.map((column) => {
		const { name, place, role, kind, modality, note } = column;
		const scan = scans[place] as (typeof scans)[number];
		const { rows, missing, differentValues, lists, examples } = scan;
		const feature = features?.get(name);
		const isUsed = role !== 'feature' || features === null || feature !== undefined;
		const reason = isUsed ? note : 'it is the same in all training rows';
		const distribution = isUsed ? distributionOf(column, scan, scans.length) : null;
		return {
			name,
			role: isUsed ? role : 'ignored',
			...(kind === null || !isUsed ? {} : { kind }),
			...(modality === null || !isUsed ? {} : { modality }),
			...(feature === undefined ? {} : { features: widthOf(feature) }),
			missing: rows === 0 ? 0 : missing / rows,
			...(differentValues === null || lists !== null ? {} : { distinct: differentValues }),
			...(lists === null ? {} : { length: { min: lists.least, mean: lists.mean, max: lists.most } }),
			...(distribution === null ? {} : { distribution }),
			examples: [...examples],
			...(reason === null ? {} : { note: reason.slice(0, 500) }),
		};
	});
}

/** What a dataset was made of. `features`: those that were fitted, by the name of the column; null before. */
export function tableProfile(
	survey: Survey,
	files: readonly TableFile[],
	{ features, dropped }: { features: ReadonlyMap<string, Feature> | null; dropped: number },
): Omit<TableProfile, 'standard'> {
	const delimiter = files[0]?.table.delimiter ?? null;
	const labels = survey.reading.labels.map(({ name }) => name);
	const [first = '', second] = labels;
	return {
		files: files.map(({ table }) => table.file),
		rows: survey.rows - dropped,
		...(dropped === 0 ? {} : { dropped }),
		...(delimiter === null ? {} : { delimiter }),
		label: second === undefined ? first : labels,
		columns: columnProfiles(survey, features),
	};
}
