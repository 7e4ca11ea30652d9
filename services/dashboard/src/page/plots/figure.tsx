import { useSignal } from '@preact/signals';
import type { ComponentChildren, VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { figure as written } from '../format.js';
import { csvOf, type Numbers } from './chart.js';
import { fileNameOf, pngOf, saveFile, svgOf, svgText } from './save.js';

/** Rows of numbers that are shown below a figure; a CSV file has all. */
const MOST_ROWS = 500;

/** The numbers of a figure as a table. */
export function NumbersTable({ numbers: { columns, rows }, caption }: { numbers: Numbers; caption: string }): VNode {
	return (
		<div class="scroll" tabIndex={0} role="region" aria-label={caption}>
			<table class="numbers">
				<thead>
					<tr>
						{columns.map((name) => (
							<th key={name} scope="col">
								{name}
							</th>
						))}
					</tr>
				</thead>
				<tbody>
					{rows.slice(0, MOST_ROWS).map((row, i) => (
						<tr key={i}>
							{row.map((value, c) => (
								<td key={c} class={typeof value === 'number' ? 'number' : ''}>
									{typeof value === 'number' ? written(value) : (value ?? '–')}
								</td>
							))}
						</tr>
					))}
				</tbody>
			</table>
			{rows.length > MOST_ROWS && (
				<p class="quiet">
					The first {MOST_ROWS} of {rows.length} rows; the CSV file has all.
				</p>
			)}
		</div>
	);
}

export type FigureProps = {
	title: string;
	/** One sentence on how to read it. */
	hint?: ComponentChildren;
	numbers: () => Numbers;
	/** The picture that is saved, where what is shown is no svg element. */
	picture?: () => VNode;
	children: ComponentChildren;
};

/** A picture with its title, which can be saved as SVG, PNG and CSV, and read as a table. */
export function Figure({ title, hint, numbers, picture, children }: FigureProps): VNode {
	const body = useRef<HTMLDivElement>(null);
	const showsTable = useSignal(false);
	const failure = useSignal<string | null>(null);
	const svg = (): string => (picture !== undefined ? svgOf(picture()) : svgText(body.current?.querySelector('svg') as SVGSVGElement));
	const save = {
		SVG: async () => saveFile(fileNameOf(title, 'svg'), new Blob([svg()], { type: 'image/svg+xml' })),
		PNG: async () => saveFile(fileNameOf(title, 'png'), await pngOf(svg())),
		CSV: async () => saveFile(fileNameOf(title, 'csv'), new Blob([csvOf(numbers())], { type: 'text/csv' })),
	};
	return (
		<figure class="figure">
			<figcaption>
				<h3>{title}</h3>
				<span class="figure-actions">
					<button type="button" class="quiet-button" aria-pressed={showsTable.value} onClick={() => (showsTable.value = !showsTable.value)}>
						Table
					</button>
					{Object.entries(save).map(([kind, act]) => (
						<button
							key={kind}
							type="button"
							class="quiet-button"
							aria-label={`Save "${title}" as ${kind}`}
							onClick={() => {
								failure.value = null;
								act().catch((error: Error) => {
									failure.value = error.message;
								});
							}}
						>
							{kind}
						</button>
					))}
				</span>
			</figcaption>
			{hint !== undefined && <p class="hint">{hint}</p>}
			{failure.value !== null && <p class="field-error">{failure.value}</p>}
			<div ref={body}>{children}</div>
			{showsTable.value && <NumbersTable numbers={numbers()} caption={`The numbers of ${title}`} />}
		</figure>
	);
}
