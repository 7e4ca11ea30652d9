import type { ColumnProfile } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { figure, percent } from '../format.js';
import { boundWords, type NumbersDistribution, type ValuesDistribution } from './distribution.js';

const WIDTH = 140;
const HEIGHT = 30;
/** Values that are drawn of a column. */
const MOST_VALUES = 5;

function Numbers({ distribution }: { distribution: NumbersDistribution }): VNode {
	const { of, count, sampled, min, max, mean, std, counts } = distribution;
	const most = Math.max(1, ...counts);
	const step = WIDTH / counts.length;
	const [from, to] = [boundWords(distribution, min), boundWords(distribution, max)];
	const unit = of === 'words' ? ' words' : '';
	const spread = of === 'dates' ? '' : `, standard deviation ${figure(std)}`;
	return (
		<>
			<svg
				viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
				class="distribution series-0"
				role="img"
				aria-label={`Distribution from ${from} to ${to}${unit}, mean ${boundWords(distribution, mean)}${spread}`}
			>
				<title>{`mean ${boundWords(distribution, mean)}${unit}${spread}; ${count.toLocaleString('en')} ${sampled ? 'drawn at random' : 'counted'}`}</title>
				{counts.map((n, i) => {
					// What is there at all is seen.
					const height = n === 0 ? 0 : Math.max(1.5, (n / most) * (HEIGHT - 1));
					return <rect key={`${i * step}`} x={i * step} y={HEIGHT - 1 - height} width={step - 1} height={height} />;
				})}
				<line x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
			</svg>
			<div class="ends">
				<span>{from}</span>
				<span>
					{to}
					{unit}
				</span>
			</div>
		</>
	);
}

function Values({ distribution: { count, values, others } }: { distribution: ValuesDistribution }): VNode {
	const drawn = values.slice(0, MOST_VALUES);
	const left = others + values.slice(MOST_VALUES).reduce((sum, value) => sum + value.count, 0);
	const shown = [...drawn, ...(left > 0 ? [{ value: 'others', count: left }] : [])];
	const most = Math.max(1, ...shown.map((value) => value.count));
	return (
		<ul class="value-bars">
			{shown.map((value, i) => (
				<li key={i < drawn.length ? `=${value.value}` : 'others'}>
					<span class={i < drawn.length ? undefined : 'quiet'} title={value.value}>
						{value.value}
					</span>
					<svg viewBox="0 0 60 10" class="series-0" aria-hidden="true">
						<rect width={Math.max(1, (value.count / most) * 60)} height="10" />
					</svg>
					<span class="quiet">{count === 0 ? '–' : percent(value.count / count)}</span>
				</li>
			))}
		</ul>
	);
}

/** How the values of a column are spread, as a small picture; nothing where that is not known. */
export function ColumnPicture({ column: { distribution } }: { column: ColumnProfile }): VNode | null {
	if (distribution === undefined) return null;
	return distribution.of === 'values' ? <Values distribution={distribution} /> : <Numbers distribution={distribution} />;
}
