import type { DatasetRow } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { shapeWords } from './dataset-facts.js';
import { labelText } from './label-text.js';
import { cellText, listShape } from './shown-value.js';
import { ValuesPicture } from './values-picture.js';

function Cell({ value }: { value: unknown }): VNode {
	const text = cellText(value, Array.isArray(value) ? 40 : 160);
	if (text === null) return <span class="quiet">nothing</span>;
	if (!Array.isArray(value)) return <>{text}</>;
	return (
		<div class="list-cell">
			<ValuesPicture value={value} />
			<span class="quiet">{shapeWords(listShape(value))} numbers</span>
			<span class="mono">{text}</span>
		</div>
	);
}

/** Rows of a dataset: the label, then all that a model could learn from. */
export function RowsTable({ rows, caption, label }: { rows: readonly DatasetRow[]; caption: string; label: string }): VNode {
	const names = Object.keys(rows[0]?.values ?? {});
	return (
		<div class="scroll tall" tabIndex={0} role="region" aria-label={caption}>
			<table class="data-rows">
				<thead>
					<tr>
						<th scope="col" class="number">
							Row
						</th>
						<th scope="col">{label}</th>
						{names.map((name) => (
							<th key={name} scope="col">
								{name}
							</th>
						))}
					</tr>
				</thead>
				<tbody>
					{rows.map((row) => (
						<tr key={row.row}>
							<th scope="row" class="number">
								{row.row.toLocaleString('en')}
							</th>
							<td>
								<strong>{cellText(labelText(row.label), 60)}</strong>
							</td>
							{names.map((name) => (
								<td key={name}>
									<Cell value={row.values[name]} />
								</td>
							))}
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}
