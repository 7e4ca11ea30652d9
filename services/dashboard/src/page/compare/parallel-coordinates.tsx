import type { VNode } from 'preact';
import { figure } from '../format.js';
import type { Numbers } from '../plots/chart.js';
import type { SpecValue } from './spec-differences.js';

/** An axis of its own for each field; a line for each job goes through its values. */
export type Coordinates = {
	readonly axes: readonly { readonly name: string; readonly values: readonly (SpecValue | undefined)[] }[];
	/** Names of the jobs, and which colour each has. */
	readonly lines: readonly { readonly name: string; readonly color: number; readonly isFaint?: boolean }[];
};

const HEIGHT = 300;
const TOP = 40;
const BOTTOM = 20;
const SIDE = 70;
const clipped = (text: string, most: number) => (text.length > most ? `…${text.slice(1 - most)}` : text);

/** Where the values of an axis are, from 0 at the bottom to 1, with the texts of its ends or of all its values. */
function placesOf(values: readonly (SpecValue | undefined)[]): {
	at: (value: SpecValue | undefined) => number | null;
	ticks: readonly [number, string][];
} {
	const there = values.filter((value) => value !== undefined && value !== null);
	if (there.every((value) => typeof value === 'number')) {
		const [low, high] = [Math.min(...(there as number[])), Math.max(...(there as number[]))];
		// Learning rates and the like are spread over powers of ten.
		const isLog = low > 0 && high / low >= 50;
		const place = (value: number) =>
			low === high ? 0.5 : isLog ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
		return {
			at: (value) => (typeof value === 'number' ? place(value) : null),
			ticks:
				low === high
					? [[0.5, figure(low)]]
					: [
							[0, figure(low)],
							[1, figure(high)],
						],
		};
	}
	const names = [...new Set(values.map((value) => (value === undefined ? '–' : String(value))))].sort();
	const place = (name: string) => (names.length === 1 ? 0.5 : names.indexOf(name) / (names.length - 1));
	return { at: (value) => place(value === undefined ? '–' : String(value)), ticks: names.map((name) => [place(name), name]) };
}

/** Fields and metrics of many jobs at once: what goes together shows as lines that run side by side. */
export function ParallelCoordinates({ axes, lines }: Coordinates): VNode {
	const width = Math.max(640, axes.length * 130);
	const x = (axis: number): number => (axes.length === 1 ? width / 2 : SIDE + (axis * (width - 2 * SIDE)) / (axes.length - 1));
	const y = (share: number): number => HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
	const places = axes.map(({ values }) => placesOf(values));
	return (
		<svg viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label="A line for each job through its settings and its metric" class="plot">
			{lines.map(({ name, color, isFaint = false }, line) => {
				const points = axes.flatMap(({ values }, axis) => {
					const share = places[axis]?.at(values[line]);
					return share === null || share === undefined ? [] : [`${x(axis).toFixed(1)} ${y(share).toFixed(1)}`];
				});
				return (
					<g key={`${name} ${line}`} class={`series-${color % 8}`}>
						<path class={isFaint ? 'line faint' : 'line'} d={points.length === 0 ? '' : `M${points.join('L')}`}>
							<title>{name}</title>
						</path>
					</g>
				);
			})}
			{axes.map(({ name }, axis) => (
				<g key={name}>
					<line class="axis" x1={x(axis)} x2={x(axis)} y1={TOP} y2={HEIGHT - BOTTOM} />
					<text class="tick strong" x={x(axis)} y="16" text-anchor="middle">
						{clipped(name, 19)}
						<title>{name}</title>
					</text>
					{places[axis]?.ticks.map(([share, text]) => (
						<text key={text} class="tick" x={x(axis) + 5} y={y(share) + (share === 0 ? 14 : share === 1 ? -5 : 4)}>
							{clipped(text, 16)}
						</text>
					))}
				</g>
			))}
		</svg>
	);
}

/** The numbers of parallel coordinates as a table. */
export const numbersOfCoordinates = ({ axes, lines }: Coordinates): Numbers => ({
	columns: ['job', ...axes.map(({ name }) => name)],
	rows: lines.map(({ name }, line) => [
		name,
		...axes.map(({ values }) => {
			const value = values[line];
			return value === undefined ? null : typeof value === 'boolean' ? String(value) : value;
		}),
	]),
});
