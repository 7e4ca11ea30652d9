import type { TableProfile } from '@steelyard/contracts';
import type { ComponentChildren, VNode } from 'preact';
import { figure, percent } from '../format.js';
import { ColumnPicture } from './column-picture.js';

type Column = TableProfile['columns'][number];

/** What a column of the table shows of a column of data, where that can be changed. */
export type ColumnEditors = {
	role(column: Column): ComponentChildren;
	kind(column: Column): ComponentChildren;
	modality(column: Column): ComponentChildren;
	/** What is wrong with a column; null where nothing is. */
	fault(column: Column): string | null;
};

/** What the columns of a table were taken for; with `editors`, that can be corrected. */
export function ColumnsTable({ columns, editors }: { columns: readonly Column[]; editors?: ColumnEditors }): VNode {
	return (
		<div class="scroll tall" tabIndex={0} role="region" aria-label="Columns">
			<table class="data-columns">
				<thead>
					<tr>
						<th scope="col">Column</th>
						<th scope="col">Role</th>
						<th scope="col">Kind</th>
						<th scope="col">Modality</th>
						<th scope="col" class="number">
							Missing
						</th>
						<th scope="col">Values</th>
						<th scope="col">Examples</th>
					</tr>
				</thead>
				<tbody>
					{columns.map((column) => {
						const fault = editors?.fault(column) ?? null;
						return (
							<tr key={column.name} class={fault !== null ? 'at-fault' : column.role === 'ignored' ? 'left-out' : undefined}>
								<th scope="row" class="name">
									{column.name}
									{column.note !== undefined && <div class="hint">{column.note}</div>}
									{fault !== null && (
										<p class="field-error" role="alert">
											{fault}
										</p>
									)}
								</th>
								<td>{editors?.role(column) ?? column.role}</td>
								<td>{editors?.kind(column) ?? column.kind ?? '–'}</td>
								<td>
									{editors?.modality(column) ?? column.modality ?? '–'}
									{column.features !== undefined && (
										<div class="quiet">
											{column.features.toLocaleString('en')} {column.features === 1 ? 'feature' : 'features'}
										</div>
									)}
								</td>
								<td class={`number${column.missing > 0 ? '' : ' quiet'}`}>{column.missing > 0 ? percent(column.missing) : 'none'}</td>
								<td class="values">
									<ColumnPicture column={column} />
									{column.distinct !== undefined && <div class="quiet">{column.distinct.toLocaleString('en')} different</div>}
									{column.length !== undefined && (
										<div class="quiet">
											lists of {figure(column.length.min)}
											{column.length.max > column.length.min && ` to ${figure(column.length.max)}`}
										</div>
									)}
								</td>
								<td class="examples">
									{column.examples.map((example) => (
										<div key={example}>{example}</div>
									))}
								</td>
							</tr>
						);
					})}
				</tbody>
			</table>
		</div>
	);
}
