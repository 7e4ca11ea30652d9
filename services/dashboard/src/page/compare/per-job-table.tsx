import type { VNode } from 'preact';
import { JobName, type ShownJob } from './shown-job.js';

/** A table with a column for each job. */
export function PerJobTable({
	shown,
	label,
	rows,
}: {
	shown: readonly ShownJob[];
	label: string;
	rows: readonly { name: string; cells: readonly string[]; best?: ReadonlySet<number> }[];
}): VNode {
	return (
		<div class="scroll" tabIndex={0} role="region" aria-label={label}>
			<table>
				<thead>
					<tr>
						<th scope="col">
							<span class="unseen">Field</span>
						</th>
						{shown.map((one) => (
							<th key={one.job.id} scope="col">
								<JobName {...one} />
							</th>
						))}
					</tr>
				</thead>
				<tbody>
					{rows.map(({ name, cells, best }) => (
						<tr key={name}>
							<th scope="row">{name}</th>
							{cells.map((cell, i) => (
								<td key={shown[i]?.job.id}>
									{best?.has(i) ? (
										<strong>
											{cell} <span aria-label="best">★</span>
										</strong>
									) : (
										cell
									)}
								</td>
							))}
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}
