import type { VNode } from 'preact';
import { figure } from '../format.js';
import { Axes } from '../plots/axes.js';
import type { Numbers } from '../plots/chart.js';
import type { ObjectivePoint } from './objective.js';

/** Whether values are spread so far that only an axis of powers of ten shows them. */
const isSpread = (values: readonly number[]): boolean => {
	const [low, high] = [Math.min(...values), Math.max(...values)];
	return low > 0 && high / low >= 50;
};

/** What came of each trial, and the best value so far as a line. */
export function ObjectivePicture({ points, metric }: { points: readonly ObjectivePoint[]; metric: string }): VNode {
	const values = points.map(({ value }) => value);
	const isLog = isSpread(values);
	const hasPruned = points.some(({ isWhole }) => !isWhole);
	return (
		<Axes
			label={`${metric} of each trial, and the best so far`}
			height={300}
			x={{ label: 'trial', whole: true }}
			y={{ label: isLog ? `${metric}, in powers of ten` : metric, log: isLog }}
			xs={points.map(({ trial }) => trial)}
			ys={values}
			legend={[
				{ name: 'best so far', color: 0, mark: 'line' },
				{ name: 'trial', color: 0, mark: 'bar' },
				...(hasPruned ? [{ name: 'fewer epochs', color: 7, mark: 'bar' } as const] : []),
			]}
		>
			{(x, y) => {
				const whole = points.filter(({ best }) => best !== null);
				const last = points.at(-1)?.trial ?? 0;
				const steps = whole.map(({ trial, best }, i) => {
					const at = y(best as number).toFixed(2);
					return i === 0 ? `M${x(trial).toFixed(2)} ${at}` : `H${x(trial).toFixed(2)}V${at}`;
				});
				return (
					<>
						{points.map(({ trial, value, isWhole }) => (
							<circle key={trial} class={`dot series-${isWhole ? 0 : 7}`} cx={x(trial)} cy={y(value)} r={isWhole ? 4 : 3}>
								<title>{`trial ${trial}: ${metric} ${figure(value)}${isWhole ? '' : ', after fewer epochs'}`}</title>
							</circle>
						))}
						<g class="series-0">
							<path class="line" d={steps.length === 0 ? '' : `${steps.join('')}H${x(last).toFixed(2)}`} />
						</g>
					</>
				);
			}}
		</Axes>
	);
}

/** The numbers of the picture as a table. */
export const numbersOfObjective = (points: readonly ObjectivePoint[], metric: string): Numbers => ({
	columns: ['trial', metric, 'trained to its end', 'best so far'],
	rows: points.map(({ trial, value, isWhole, best }) => [trial, value, isWhole ? 'yes' : 'no', best]),
});
