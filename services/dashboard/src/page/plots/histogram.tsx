import type { VNode } from 'preact';
import { Axes } from './axes.js';
import type { Numbers } from './chart.js';

/** How many values of each group lie in each bin. */
export type HistogramProps = {
	label: string;
	/** What the values are. */
	unit: string;
	/** The ends of the bins, one more than there are bins. */
	edges: readonly number[];
	groups: readonly { readonly name: string; readonly color: number; readonly counts: readonly number[] }[];
	/** Whether each group is shown as shares of itself, so that groups of different sizes compare. */
	asShares?: boolean;
	height?: number;
};

const sharesOf = (counts: readonly number[]): number[] => {
	const total = counts.reduce((sum, count) => sum + count, 0);
	return counts.map((count) => (total === 0 ? 0 : count / total));
};

/** Bars over the bins of one or two groups, which lie over each other. */
export function Histogram({ label, unit, edges, groups, asShares = false, height = 220 }: HistogramProps): VNode {
	const shown = groups.map((group) => ({ ...group, values: asShares ? sharesOf(group.counts) : group.counts }));
	return (
		<Axes
			label={label}
			height={height}
			x={{ label: unit, range: [edges[0] ?? 0, edges.at(-1) ?? 1] }}
			y={{ label: asShares ? 'share of the group' : 'count' }}
			xs={[]}
			ys={[0, ...shown.flatMap(({ values }) => values)]}
			legend={shown.length > 1 ? shown.map(({ name, color }) => ({ name, color, mark: 'bar' as const })) : []}
		>
			{(x, y) => (
				<>
					{shown.map(({ name, color, values, counts }) => (
						<g key={name} class={`series-${color % 8}`}>
							{values.map((value, i) => (
								<rect
									key={edges[i]}
									class="bar overlaid"
									x={x(edges[i] as number) + 0.5}
									width={Math.max(1, x(edges[i + 1] as number) - x(edges[i] as number) - 1)}
									y={y(value)}
									height={Math.max(0, y(0) - y(value))}
								>
									<title>{`${name}: ${counts[i]}`}</title>
								</rect>
							))}
						</g>
					))}
				</>
			)}
		</Axes>
	);
}

/** The numbers of a histogram as a table. */
export const numbersOfHistogram = ({ edges, groups, unit }: Pick<HistogramProps, 'edges' | 'groups' | 'unit'>): Numbers => ({
	columns: [`${unit} from`, 'to', ...groups.map(({ name }) => name)],
	rows: edges.slice(0, -1).map((edge, i) => [edge, edges[i + 1] as number, ...groups.map(({ counts }) => counts[i] ?? 0)]),
});
