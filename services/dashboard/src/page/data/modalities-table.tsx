import type { DatasetResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { figure, percent } from '../format.js';
import { shapeWords } from './dataset-facts.js';

/** What the modalities of a dataset are. */
export function ModalitiesTable({ modalities }: { modalities: DatasetResource['modalities'] }): VNode {
	return (
		<div class="scroll" tabIndex={0} role="region" aria-label="Modalities">
			<table>
				<thead>
					<tr>
						<th scope="col">Modality</th>
						<th scope="col">Shape of one row</th>
						<th scope="col">Type</th>
						<th scope="col" class="number">
							Missing
						</th>
						<th scope="col">Values</th>
					</tr>
				</thead>
				<tbody>
					{Object.entries(modalities).map(([name, { shape, dtype = 'float32', missing, masked, min, max, tokens, description }]) => (
						<tr key={name}>
							<th scope="row" class="name">
								{name}
								{description !== undefined && <div class="hint">{description}</div>}
							</th>
							<td>
								{shapeWords(shape)}
								{shape.length > 1 && masked && <div class="quiet">rows may be shorter</div>}
							</td>
							<td>{dtype}</td>
							<td class={`number${missing > 0 ? '' : ' quiet'}`}>{missing > 0 ? percent(missing) : 'none'}</td>
							<td>
								{tokens !== undefined
									? `ids of ${tokens.toLocaleString('en')} tokens`
									: min !== undefined && max !== undefined
										? `${figure(min)} to ${figure(max)}`
										: '–'}
							</td>
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}
