import type { ComponentChildren, VNode } from 'preact';
import { type Chart, numbersOf } from './chart.js';
import { Figure } from './figure.js';
import { LineChart } from './line-chart.js';
import { LinePicture } from './line-picture.js';

/** A chart of lines as a figure. */
export function ChartFigure({ chart, hint, height = 260 }: { chart: Chart; hint?: ComponentChildren; height?: number }): VNode {
	return (
		<Figure title={chart.title} hint={hint} numbers={() => numbersOf(chart)} picture={() => <LinePicture chart={chart} />}>
			<LineChart chart={chart} height={height} />
		</Figure>
	);
}
