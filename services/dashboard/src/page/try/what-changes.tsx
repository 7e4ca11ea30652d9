import type { DatasetRow, Prediction } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { figure, percent } from '../format.js';
import { Bars, numbersOfBars } from '../plots/bars.js';
import { Figure } from '../plots/figure.js';
import { type Compared, compared, isRight, likeliest, predictionText } from './compared.js';

const MOST_CLASSES = 12;

type Props = {
	asIs: Prediction;
	/** What the model says without some modalities; null where none is left out. */
	changed: Prediction | null;
	/** What is left out, in words. */
	without: string;
	label: DatasetRow['label'] | undefined;
};

function Says({
	title,
	prediction,
	label,
	before,
}: {
	title: string;
	prediction: Prediction;
	label: Props['label'];
	before?: Prediction;
}): VNode {
	const said = predictionText(prediction);
	const right = isRight(prediction, label);
	const isOther = before !== undefined && JSON.stringify(before.prediction) !== JSON.stringify(prediction.prediction);
	const likely = typeof prediction.prediction === 'string' ? prediction.probabilities?.[prediction.prediction] : undefined;
	return (
		<div class="tile">
			<span>{title}</span>
			<b>{typeof said === 'number' ? figure(said, 5) : (said ?? 'outputs')}</b>
			{likely !== undefined && <span>with a probability of {percent(likely)}</span>}
			{typeof said === 'number' && typeof label === 'number' && (
				<span>
					{figure(Math.abs(said - label))} {said < label ? 'below' : 'above'} the label
				</span>
			)}
			{right !== null && <span class={right ? 'right' : 'wrong'}>{right ? '✓ as the label says' : '✕ the label says otherwise'}</span>}
			{isOther && typeof said !== 'number' && <span class="wrong"> · another prediction than before</span>}
		</div>
	);
}

/** A number with its sign. */
const signed = (value: number): string => (value > 0 ? `+${figure(value)}` : figure(value));

/** Numbers as bars, beside each other where something is left out, and how they change as a table. */
function Pictured({
	title,
	of,
	hint,
	unit,
	rows,
	without,
}: {
	title: string;
	/** What each bar is of. */
	of: string;
	hint: string;
	unit: string;
	rows: readonly Compared[];
	without: string | null;
}): VNode {
	const parts = without === null ? ['as it is'] : ['as it is', without];
	const bars = { parts, groups: rows.map(({ name, values }) => ({ name, values: values.slice(0, parts.length) })) };
	return (
		<div>
			<Figure title={title} hint={hint} numbers={() => numbersOfBars(bars)}>
				<Bars label={title} unit={unit} {...bars} />
			</Figure>
			{without !== null && (
				<div class="scroll" tabIndex={0} role="region" aria-label={`${title}: what changes`}>
					<table>
						<thead>
							<tr>
								<th scope="col">{of}</th>
								<th scope="col" class="number">
									as it is
								</th>
								<th scope="col" class="number">
									{without}
								</th>
								<th scope="col" class="number">
									change
								</th>
							</tr>
						</thead>
						<tbody>
							{rows.map(({ name, values: [before, after] }) => (
								<tr key={name}>
									<th scope="row">{name}</th>
									<td class="number">{figure(before)}</td>
									<td class="number">{figure(after)}</td>
									<td class="number">{before === null || after === null ? '–' : signed(after - before)}</td>
								</tr>
							))}
						</tbody>
					</table>
				</div>
			)}
		</div>
	);
}

/** What the model says of a row, and beside it what it says without some modalities. */
export function WhatChanges({ asIs, changed, without, label }: Props): VNode {
	const { classes, more } = likeliest(asIs, changed, MOST_CLASSES);
	const other = changed === null ? null : without;
	const pictures = [
		{
			title: 'Probabilities',
			of: Array.isArray(asIs.prediction) ? 'Label' : 'Class',
			unit: 'probability',
			hint: `How likely the model finds each ${Array.isArray(asIs.prediction) ? 'label' : 'class'}.${more > 0 ? ` ${more.toLocaleString('en')} less likely ones are not drawn.` : ''}`,
			rows: classes,
		},
		{
			title: 'Quantiles',
			of: 'Share',
			unit: 'value',
			hint: 'The model expects this share of all labels to lie below the value.',
			rows: compared(asIs.quantiles, changed?.quantiles),
		},
		{
			title: 'How far each modality is trusted',
			of: 'Modality',
			unit: 'weight',
			hint: 'How much each modality counts in this row: 0 not at all, 1 as it would without weighing.',
			rows: compared(asIs.weights, changed?.weights),
		},
		{
			title: 'How each modality diverges',
			of: 'Modality',
			unit: 'nats',
			hint: 'How far what the modality alone predicts lies from what all of them predict together: 0 where they agree.',
			rows: compared(asIs.divergence, changed?.divergence),
		},
	];
	return (
		<>
			<div class="tiles">
				{label !== undefined && (
					<div class="tile">
						<span>The label of the row</span>
						<b>{Array.isArray(label) ? label.join(', ') || 'none' : typeof label === 'number' ? figure(label, 5) : (label ?? '–')}</b>
					</div>
				)}
				<Says title={changed === null ? 'The model predicts' : 'As it is, the model predicts'} prediction={asIs} label={label} />
				{changed !== null && <Says title={`Predicted ${without}`} prediction={changed} label={label} before={asIs} />}
			</div>
			<div class="figures">
				{pictures
					.filter(({ rows }) => rows.length > 0)
					.map((picture) => (
						<Pictured key={picture.title} {...picture} without={other} />
					))}
			</div>
			{asIs.outputs !== undefined && (
				<>
					<h3>Outputs of the graph</h3>
					<pre tabIndex={0} role="region" aria-label="Outputs of the graph">
						{JSON.stringify(changed === null ? asIs.outputs : { 'as it is': asIs.outputs, [without]: changed.outputs }, null, '\t').slice(
							0,
							20_000,
						)}
					</pre>
				</>
			)}
		</>
	);
}
