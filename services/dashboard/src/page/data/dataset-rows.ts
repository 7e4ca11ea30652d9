import type { Client } from '@steelyard/client';

/** A row of a dataset, with its values as `jobs.predict` takes them. */
export type DatasetRow = {
	/** Its number in the split, from 0. */
	readonly row: number;
	readonly values: Readonly<Record<string, unknown>>;
	readonly label: string | number | readonly unknown[] | null;
};

/** Some rows of a split. */
export type DatasetRows = {
	/** Rows of the split. */
	readonly total: number;
	/** How many of these, from the first on, can be shown. */
	readonly kept: number;
	/** Modalities that the values are without, since they are too large. */
	readonly left_out?: readonly string[];
	readonly data: readonly DatasetRow[];
	readonly has_more: boolean;
};

type RowsQuery = { split: string; offset: number; limit: number };
type ShowsRows = { rows?(id: string, query: RowsQuery): Promise<DatasetRows> };

/** Rows of a split of a dataset. Rejects where the service refuses that. */
export async function rowsOf(client: Client, id: string, query: RowsQuery): Promise<DatasetRows> {
	const datasets = client.datasets as ShowsRows;
	if (datasets.rows === undefined) throw new Error('This version of the client cannot ask for rows');
	return datasets.rows(id, query);
}

/** The label of a row as text. */
export function labelText(label: DatasetRow['label']): string {
	if (label === null) return '–';
	if (!Array.isArray(label)) return String(label);
	return label.length === 0
		? 'none'
		: label.map((one) => (one === null ? '–' : Array.isArray(one) ? JSON.stringify(one) : String(one))).join(', ');
}
