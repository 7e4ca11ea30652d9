import type { VNode } from 'preact';
import { Axes } from './axes.js';
import type { Chart, Series } from './chart.js';
import type { Scale } from './scale.js';

const isDrawn = (value: number | null | undefined, { range }: Scale): value is number =>
	value !== null && value !== undefined && Number.isFinite(value) && (range[0] <= 0 || value > 0);

/** The path of a line, which has a gap where there is no value. */
function pathOf(xs: readonly number[], ys: readonly (number | null)[], x: Scale, y: Scale): string {
	let path = '';
	let gap = true;
	xs.forEach((at, i) => {
		const value = ys[i];
		if (!isDrawn(value, y)) {
			gap = true;
			return;
		}
		path += `${gap ? 'M' : 'L'}${x(at).toFixed(2)} ${y(value).toFixed(2)}`;
		gap = false;
	});
	return path;
}

function bandPath({ x: xs, band }: Series, x: Scale, y: Scale): string {
	if (band === undefined) return '';
	const whole = xs.map((_, i) => i).filter((i) => isDrawn(band.low[i], y) && isDrawn(band.high[i], y));
	const point = (i: number, of: readonly (number | null)[]) => `${x(xs[i] as number).toFixed(2)} ${y(of[i] as number).toFixed(2)}`;
	return whole.length < 2
		? ''
		: `M${[...whole.map((i) => point(i, band.high)), ...whole.reverse().map((i) => point(i, band.low))].join('L')}Z`;
}

/** A chart as a picture of its own: what is saved, and what is shown where nothing needs to be pointed at. The legend is part of it. */
export function LinePicture({ chart, width = 640, height = 280 }: { chart: Chart; width?: number; height?: number }): VNode {
	const { title, x, y, series, diagonal = false } = chart;
	const named = series.filter(({ faint, unlisted }) => faint !== true && unlisted !== true);
	return (
		<Axes
			label={`${title}: ${y.label} over ${x.label}`}
			width={width}
			height={height}
			x={x}
			y={y}
			xs={series.flatMap(({ x: xs }) => xs)}
			ys={series.flatMap(({ y: ys, band }) => [...ys, ...(band?.low ?? []), ...(band?.high ?? [])])}
			legend={
				named.length > 1
					? named.slice(0, 12).map(({ name, color, dashed }) => ({ name, color, mark: dashed === true ? 'dashed' : 'line' }))
					: []
			}
		>
			{(across, up) => (
				<>
					{diagonal && (
						<line
							class="reference"
							x1={across(across.range[0])}
							x2={across(across.range[1])}
							y1={up(across.range[0])}
							y2={up(across.range[1])}
						/>
					)}
					{series.map((one) => (
						<g key={`${one.name} ${one.faint}`} class={`series-${one.color % 8}`}>
							{one.band !== undefined && <path class="band" d={bandPath(one, across, up)} />}
							<path
								class={`line${one.faint === true ? ' faint' : ''}${one.dashed === true ? ' dashed' : ''}`}
								d={pathOf(one.x, one.y, across, up)}
							/>
							{one.marks?.map((mark) => (
								<circle key={mark.name} class="mark" cx={across(mark.x)} cy={up(mark.y)} r="4">
									<title>{mark.name}</title>
								</circle>
							))}
						</g>
					))}
				</>
			)}
		</Axes>
	);
}
