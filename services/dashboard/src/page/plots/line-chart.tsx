import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { figure, tickText } from '../format.js';
import { isDark } from '../theme.js';
import type { Chart, Series } from './chart.js';
import { colorNow, seriesColor, withAlpha } from './colors.js';
import { rangeOf } from './scale.js';

type Column = (number | null)[];

/** The columns of uPlot: one x for all lines, and for every line its values, and where it has a band the ends of that. */
function columnsOf(series: readonly Series[]): uPlot.AlignedData {
	const xs = [...new Set(series.flatMap(({ x }) => x))].sort((a, b) => a - b);
	const placeOf = new Map(xs.map((x, i) => [x, i]));
	const spread = (own: readonly number[], values: readonly (number | null)[]): Column => {
		const column: Column = new Array<number | null>(xs.length).fill(null);
		own.forEach((x, i) => {
			const value = values[i] ?? null;
			column[placeOf.get(x) as number] = value !== null && Number.isFinite(value) ? value : null;
		});
		return column;
	};
	return [
		xs,
		...series.flatMap(({ x, y, band }) => [spread(x, y), ...(band === undefined ? [] : [spread(x, band.high), spread(x, band.low)])]),
	];
}

/** Draws the marks of the lines, such as the best epoch. */
function marksOf(series: readonly Series[], background: string): uPlot.Plugin {
	return {
		hooks: {
			draw({ ctx, bbox, valToPos }) {
				for (const { marks = [], color } of series)
					for (const { x, y } of marks) {
						const [left, top] = [valToPos(x, 'x', true), valToPos(y, 'y', true)];
						if (left < bbox.left || left > bbox.left + bbox.width || !Number.isFinite(top)) continue;
						ctx.save();
						ctx.beginPath();
						ctx.arc(left, top, 4.5 * devicePixelRatio, 0, 2 * Math.PI);
						ctx.fillStyle = seriesColor(color);
						ctx.strokeStyle = background;
						ctx.lineWidth = 2 * devicePixelRatio;
						ctx.fill();
						ctx.stroke();
						ctx.restore();
					}
			},
		},
	};
}

/** Draws the line y = x, against which curves of ROC and reliability are held. */
function diagonalOf(color: string): uPlot.Plugin {
	return {
		hooks: {
			drawAxes({ ctx, valToPos }) {
				ctx.save();
				ctx.beginPath();
				ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
				ctx.strokeStyle = color;
				ctx.lineWidth = devicePixelRatio;
				ctx.moveTo(valToPos(0, 'x', true), valToPos(0, 'y', true));
				ctx.lineTo(valToPos(1, 'x', true), valToPos(1, 'y', true));
				ctx.stroke();
				ctx.restore();
			},
		},
	};
}

/** The options of uPlot for a chart. They hold for all data that have the same lines. */
function optionsOf({ x, y, series, diagonal = false }: Chart, width: number, height: number): uPlot.Options {
	const quiet = colorNow('var(--quiet)');
	const grid = { stroke: colorNow('var(--line)'), width: 1 };
	const axis = {
		stroke: quiet,
		grid,
		ticks: { show: false },
		font: '12px system-ui',
		labelFont: '12px system-ui',
		labelSize: 18,
		labelGap: 2,
	};
	const lines: uPlot.Series[] = [{ label: x.label }];
	const bands: uPlot.Band[] = [];
	for (const { name, color, band, dashed, faint, unlisted } of series) {
		const stroke = seriesColor(color);
		lines.push({
			label: faint === true ? `${name} (raw)` : name,
			stroke: faint === true ? withAlpha(stroke, 0.3) : stroke,
			width: faint === true ? 1 : 2,
			spanGaps: true,
			points: { size: 5 },
			value: (_, value) => figure(value),
			...(dashed === true ? { dash: [6, 5] } : {}),
			...(faint === true || unlisted === true ? { class: 'unlisted' } : {}),
		});
		if (band === undefined) continue;
		bands.push({ series: [lines.length, lines.length + 1], fill: withAlpha(stroke, 0.15) });
		for (const end of ['high', 'low'])
			lines.push({
				label: `${name} ${band.name} ${end}`,
				stroke: withAlpha(stroke, 0.35),
				width: 1,
				spanGaps: true,
				points: { show: false },
				class: 'unlisted',
			});
	}
	return {
		width,
		height,
		series: lines,
		bands,
		plugins: [marksOf(series, colorNow('var(--surface)')), ...(diagonal ? [diagonalOf(quiet)] : [])],
		legend: { live: true },
		cursor: { drag: { x: true, y: false } },
		scales: {
			x: {
				time: false,
				...(x.log === true ? { distr: 3 as const } : {}),
				...(x.range === undefined ? {} : { range: [...x.range] as [number, number] }),
			},
			y: {
				...(y.log === true ? { distr: 3 as const } : { range: (_, low, high) => (low === null ? [0, 1] : rangeOf(y, [low, high])) }),
			},
		},
		axes: [
			{
				...axis,
				label: x.label,
				size: 32,
				...(x.whole === true ? { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000] } : {}),
			},
			{ ...axis, label: y.label, size: 58, values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : tickText(tick))) },
		],
	};
}

/** What a drawing is made for. While it stays, new data are put into the drawing that is there. */
const formOf = ({ x, y, series }: Chart): string =>
	JSON.stringify([
		x,
		y,
		isDark(),
		series.map(({ name, color, dashed, faint, band, marks }) => [name, color, dashed, faint, band?.name, marks]),
	]);

/** A chart that can be pointed at and zoomed into by dragging; a double click shows all again. It grows with its data without being made anew. */
export function LineChart({ chart, height = 260 }: { chart: Chart; height?: number }): VNode {
	const box = useRef<HTMLDivElement>(null);
	const drawn = useRef<{ plot: uPlot; form: string } | null>(null);
	const form = formOf(chart);
	useEffect(() => {
		const element = box.current;
		if (element === null) return;
		const data = columnsOf(chart.series);
		if (drawn.current?.form === form) {
			drawn.current.plot.setData(data);
			return;
		}
		drawn.current?.plot.destroy();
		drawn.current = { plot: new uPlot(optionsOf(chart, Math.max(200, element.clientWidth), height), data, element), form };
	}, [chart]);
	useEffect(() => {
		const element = box.current as HTMLDivElement;
		const watch = new ResizeObserver(() => drawn.current?.plot.setSize({ width: Math.max(200, element.clientWidth), height }));
		watch.observe(element);
		return () => {
			watch.disconnect();
			drawn.current?.plot.destroy();
			drawn.current = null;
		};
	}, []);
	return <div ref={box} class="line-chart" role="img" aria-label={`${chart.title}: ${chart.y.label} over ${chart.x.label}`} />;
}
