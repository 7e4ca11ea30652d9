import type { ComponentChildren, VNode } from 'preact';
import { tickText } from '../format.js';
import type { Axis } from './chart.js';
import { rangeOf, type Scale, scaleOf } from './scale.js';

/** What a colour stands for: a line of a picture, or bars of it. */
export type LegendEntry = { readonly name: string; readonly color: number; readonly mark: 'line' | 'dashed' | 'bar' };

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
	/** What the colours stand for, named above the picture. */
	legend?: readonly LegendEntry[];
	/** What is drawn between the axes. */
	children: (x: Scale, y: Scale) => ComponentChildren;
};

const LEFT = 58;
const BOTTOM = 40;
const TOP = 10;
const RIGHT = 14;
/** Names of the legend in a line, its height, and the longest name in characters. */
const PER_LINE = 4;
const LINE = 18;
const LONGEST = 18;

function Mark({ mark }: Pick<LegendEntry, 'mark'>): VNode {
	return mark === 'bar' ? (
		<rect class="bar overlaid" width="11" height="11" y="-9" />
	) : (
		<line class={mark === 'dashed' ? 'line dashed' : 'line'} x1="0" x2="18" y1="-4" y2="-4" />
	);
}

/** A picture with two axes. Its height grows by that of the legend. */
export function Axes({ label, width = 640, height: plotHeight = 280, x, y, xs, ys, legend = [], children }: AxesProps): VNode {
	const top = TOP + Math.ceil(legend.length / PER_LINE) * LINE;
	const height = plotHeight + top - TOP;
	const across = scaleOf(x, rangeOf(x, xs), LEFT, width - RIGHT, Math.floor(width / 90));
	const up = scaleOf(y, rangeOf(y, ys), height - BOTTOM, top, Math.floor(plotHeight / 55));
	return (
		<svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label} class="plot">
			{legend.map(({ name, color, mark }, i) => (
				<g
					key={name}
					class={`series-${color % 8}`}
					transform={`translate(${LEFT + ((i % PER_LINE) * (width - LEFT - RIGHT)) / PER_LINE} ${TOP + 4 + Math.floor(i / PER_LINE) * LINE})`}
				>
					<Mark mark={mark} />
					<text class="tick" x={mark === 'bar' ? 16 : 24} y="0">
						{name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name}
						<title>{name}</title>
					</text>
				</g>
			))}
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
			<text class="axis-label" transform={`translate(13 ${(top + height - BOTTOM) / 2}) rotate(-90)`} text-anchor="middle">
				{y.label}
			</text>
		</svg>
	);
}
