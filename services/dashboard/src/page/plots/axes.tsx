import type { ComponentChildren, VNode } from 'preact';
import { tickText } from '../format.js';
import type { Axis } from './chart.js';
import { rangeOf, type Scale, scaleOf } from './scale.js';

export type AxesProps = {
	/** What the picture shows, for those who hear it. */
	label: string;
	width?: number;
	height?: number;
	x: Axis;
	y: Axis;
	/** Values by which the axes are laid out. */
	xs: Iterable<number | null>;
	ys: Iterable<number | null>;
	/** What is drawn between the axes. */
	children: (x: Scale, y: Scale) => ComponentChildren;
};

const LEFT = 58;
const BOTTOM = 40;
const TOP = 10;
const RIGHT = 14;

/** A picture with two axes. */
export function Axes({ label, width = 640, height = 280, x, y, xs, ys, children }: AxesProps): VNode {
	const across = scaleOf(x, rangeOf(x, xs), LEFT, width - RIGHT, Math.floor(width / 90));
	const up = scaleOf(y, rangeOf(y, ys), height - BOTTOM, TOP, Math.floor(height / 55));
	return (
		<svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label} class="plot">
			{up.ticks.map((tick) => (
				<g key={tick}>
					<line class="grid" x1={LEFT} x2={width - RIGHT} y1={up(tick)} y2={up(tick)} />
					<text class="tick" x={LEFT - 6} y={up(tick) + 4} text-anchor="end">
						{tickText(tick)}
					</text>
				</g>
			))}
			{across.ticks.map((tick) => (
				<text key={tick} class="tick" x={across(tick)} y={height - BOTTOM + 16} text-anchor="middle">
					{tickText(tick)}
				</text>
			))}
			<line class="axis" x1={LEFT} x2={width - RIGHT} y1={height - BOTTOM} y2={height - BOTTOM} />
			{children(across, up)}
			<text class="axis-label" x={(LEFT + width - RIGHT) / 2} y={height - 6} text-anchor="middle">
				{x.label}
			</text>
			<text class="axis-label" transform={`translate(13 ${(TOP + height - BOTTOM) / 2}) rotate(-90)`} text-anchor="middle">
				{y.label}
			</text>
		</svg>
	);
}
