import type { VNode } from 'preact';
import { figure } from '../format.js';
import { Axes } from './axes.js';
import { extent, type Numbers } from './chart.js';

export type ScatterProps = {
	label: string;
	x: string;
	y: string;
	points: readonly { readonly x: number; readonly y: number; readonly name: string }[];
	/** Whether both axes go from and to the same values, with the line y = x between them. */
	square?: boolean;
};

/** Points over two axes. */
export function Scatter({ label, x, y, points, square = false }: ScatterProps): VNode {
	const both = square ? extent(points.flatMap((point) => [point.x, point.y])) : null;
	const range = both === null || both[0] === both[1] ? {} : { range: both };
	return (
		<Axes
			label={label}
			height={380}
			x={{ label: x, ...range }}
			y={{ label: y, ...range }}
			xs={points.map((point) => point.x)}
			ys={points.map((point) => point.y)}
		>
			{(across, up) => (
				<g class="series-0">
					{both !== null && <line class="reference" x1={across(both[0])} x2={across(both[1])} y1={up(both[0])} y2={up(both[1])} />}
					{points.map((point) => (
						<circle key={point.name} class="dot" cx={across(point.x)} cy={up(point.y)} r="3">
							<title>{`${point.name}: ${x} ${figure(point.x)}, ${y} ${figure(point.y)}`}</title>
						</circle>
					))}
				</g>
			)}
		</Axes>
	);
}

/** The numbers of points as a table. */
export const numbersOfScatter = ({ x, y, points }: Pick<ScatterProps, 'x' | 'y' | 'points'>): Numbers => ({
	columns: ['', x, y],
	rows: points.map((point) => [point.name, point.x, point.y]),
});
