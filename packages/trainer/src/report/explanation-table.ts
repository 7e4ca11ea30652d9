import type { JobTask } from '@steelyard/contracts';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { decisionsOf } from './decisions.js';
import { divergenceOf, type ExplainedSplit, isPresent } from './explained-split.js';

type Column = Pick<ColumnSource, 'name' | 'type'> & { data: Array<number | boolean | string | null> };

/** A column with a value for every row of every split. */
function column(
	splits: readonly ExplainedSplit[],
	name: string,
	type: NonNullable<ColumnSource['type']>,
	cells: (split: ExplainedSplit) => (i: number) => Column['data'][number],
): Column {
	const data: Column['data'] = [];
	for (const split of splits) {
		const at = cells(split);
		for (let i = 0; i < split.rows.length; i++) data.push(at(i));
	}
	return { name, type, data };
}

/** `prediction`, `probability` and `label`: class indices, values, or 0 and 1 of every label under the label's index. */
function decisionColumns(task: JobTask, splits: readonly ExplainedSplit[]): Column[] {
	const regression = task.type === 'regression';
	const decisions = new Map(splits.map((split) => [split, split.predictions && decisionsOf(task, split.predictions)]));
	const width = task.type === 'multilabel' ? task.outputs : 1;
	const kind = regression ? 'FLOAT' : 'INT32';
	return Array.from({ length: width }, (_, k) => {
		const suffix = task.type === 'multilabel' ? `.${k}` : '';
		const numbers = (of: (split: ExplainedSplit) => ArrayLike<number>) => (split: ExplainedSplit) => {
			const values = of(split);
			return (i: number) => values[i * width + k] as number;
		};
		return [
			column(
				splits,
				`prediction${suffix}`,
				kind,
				numbers((split) => decisions.get(split)?.predicted ?? []),
			),
			...(regression
				? []
				: [
						column(
							splits,
							`probability${suffix}`,
							'FLOAT',
							numbers((split) => decisions.get(split)?.probability ?? []),
						),
					]),
			column(
				splits,
				`label${suffix}`,
				kind,
				numbers(({ labels }) => labels),
			),
		];
	}).flat();
}

/** `quantile.<level>` of a job on quantiles. */
const quantileColumns = ({ quantiles: levels = [] }: JobTask, splits: readonly ExplainedSplit[]): Column[] =>
	levels.map((level, q) =>
		column(splits, `quantile.${level}`, 'FLOAT', ({ predictions }) => {
			const quantiles = predictions !== null && 'values' in predictions ? (predictions.quantiles ?? []) : [];
			return (i) => quantiles[i * levels.length + q] as number;
		}),
	);

/** `explanation.parquet`, as the type `Explanation` of @steelyard/contracts describes it. The same rows give the same bytes. */
export function explanationTable(task: JobTask, modalities: readonly string[], splits: readonly ExplainedSplit[]): Uint8Array {
	const M = modalities.length;
	const columns = [
		column(
			splits,
			'split',
			'STRING',
			({ name }) =>
				() =>
					name,
		),
		column(
			splits,
			'row',
			'INT32',
			({ rows }) =>
				(i) =>
					rows[i] as number,
		),
		...modalities.flatMap((modality, m) => [
			column(
				splits,
				`weight.${modality}`,
				'FLOAT',
				({ weights }) =>
					(i) =>
						weights[i * M + m] as number,
			),
			column(splits, `divergence.${modality}`, 'FLOAT', (split) => (i) => divergenceOf(split, M, m, i)),
			column(
				splits,
				`present.${modality}`,
				'BOOLEAN',
				({ present }) =>
					(i) =>
						isPresent(present[m], i),
			),
		]),
		...(splits.every(({ predictions }) => predictions !== null)
			? [...decisionColumns(task, splits), ...quantileColumns(task, splits)]
			: []),
	];
	const columnData = columns.map((one) => ({
		...one,
		nullable: one.name.startsWith('divergence.'),
		...(one.type === 'FLOAT' ? { encoding: 'PLAIN' as const } : {}), // a dictionary of numbers that hardly repeat takes time and saves nothing
	}));
	return new Uint8Array(parquetWriteBuffer({ columnData, createdBy: 'steelyard' }));
}
