import type { Client } from '@steelyard/client';
import type { DatasetResource, DatasetRow, Prediction } from '@steelyard/contracts';
import { meanOf } from './mean-row.js';

type Values = Readonly<Record<string, unknown>>;

/** What is tried: a row of a split, or none, with values that were typed in place of its own, and the modalities that are left out. */
export type Trial = {
	readonly split: string;
	/** From 0; null where all values are typed. */
	readonly row: number | null;
	readonly typed: Values;
	readonly without: readonly string[];
};

/** What came of it. `values`: those that were sent as they are. */
export type Tried = {
	/** How many rows of the split can be picked. */
	readonly kept: number;
	readonly row: DatasetRow | null;
	readonly values: Values;
	readonly asIs: Prediction | null;
	readonly changed: Prediction | null;
	readonly refusal: Error | null;
};

/** The rows over which the mean is taken that stands for a modality which no row lacks. */
const MEAN_ROWS = 100;

/** The columns of a modality; the modality itself where there is no table. */
export function fieldsOf({ table }: Pick<DatasetResource, 'table'>, modality: string): string[] {
	return table === undefined ? [modality] : table.columns.filter((column) => column.modality === modality).map(({ name }) => name);
}

/** Whether a modality can be left out, how, and if not why. `mean`: the model knows no rows without it, so it gets the mean of rows. */
export function leavingOut(dataset: DatasetResource, modality: string): 'nothing' | 'mean' | 'never' {
	const profile = dataset.modalities[modality];
	if (dataset.table !== undefined || profile?.masked === true) return 'nothing';
	return profile === undefined || profile.tokens !== undefined ? 'never' : 'mean';
}

/** A row without some modalities. `rows`: those whose mean stands for a modality which the model knows no rows without. */
export function withoutModalities(
	dataset: DatasetResource,
	values: Values,
	without: readonly string[],
	rows: readonly DatasetRow[],
): Values {
	const changed: Record<string, unknown> = { ...values };
	for (const modality of without) {
		const isWhole = !['float32', undefined].includes(dataset.modalities[modality]?.dtype);
		const asMean = leavingOut(dataset, modality) === 'mean';
		for (const field of fieldsOf(dataset, modality))
			changed[field] = asMean
				? meanOf(
						rows.map((row) => row.values[field]),
						isWhole,
					)
				: null;
	}
	return changed;
}

/** Runs trials of the model of a job on rows of its dataset, keeping the rows that it has read. */
export function openTrials(client: Client, job: string, dataset: DatasetResource): (trial: Trial) => Promise<Tried> {
	const empty = Object.fromEntries(
		Object.keys(dataset.modalities).flatMap((modality) => fieldsOf(dataset, modality).map((field) => [field, null])),
	);
	const read = new Map<string, Promise<{ kept: number; data: DatasetRow[] }>>();
	const rowsFrom = (split: string, offset: number, limit: number) => {
		const key = `${split} ${offset} ${limit}`;
		const found = read.get(key) ?? client.datasets.rows(dataset.id, { split, offset, limit });
		read.set(key, found);
		found.catch(() => read.delete(key));
		return found;
	};
	return async ({ split, row: at, typed, without }) => {
		const { kept, data } = await rowsFrom(split, at ?? 0, 1);
		const row = at === null ? null : (data[0] ?? null);
		const values = { ...(row === null ? empty : row.values), ...typed };
		const nothing = { kept, row, values, asIs: null, changed: null, refusal: null };
		if (row === null && Object.keys(typed).length === 0) return nothing;
		try {
			const needsMean = without.some((modality) => leavingOut(dataset, modality) === 'mean');
			const others = needsMean ? (await rowsFrom(split, 0, MEAN_ROWS)).data : [];
			const rows = without.length === 0 ? [values] : [values, withoutModalities(dataset, values, without, others)];
			const [asIs = null, changed = null] = (await client.jobs.predict(job, rows)).data;
			return { ...nothing, asIs, changed };
		} catch (error) {
			return { ...nothing, refusal: error as Error };
		}
	};
}
