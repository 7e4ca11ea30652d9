import type { VNode } from 'preact';
import { figure, tickText } from '../format.js';
import type { Numbers } from './chart.js';
import { roundTicks } from './scale.js';

/** Bars of one group, such as a modality: a value for each part, null where there is none. */
export type BarGroup = {
	readonly name: string;
	readonly values: readonly (number | null)[];
	readonly errors?: readonly (readonly [number, number] | null)[];
};

export type BarsProps = {
	label: string;
	/** What the bars of each group are, by which they are coloured. */
	parts: readonly string[];
	groups: readonly BarGroup[];
	/** What the values are. */
	unit: string;
	/** Whether the bars of a group follow one another in one line. */
	stacked?: boolean;
};

const WIDTH = 640;
const LEFT = 130;
const RIGHT = 70;
const BAR = 16;
const GAP = 10;
const clipped = (text: string, most: number) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** Horizontal bars, group by group. */
export function Bars({ label, parts, groups, unit, stacked = false }: BarsProps): VNode {
	const ends = groups.flatMap(({ values, errors = [] }) =>
		stacked
			? [values.reduce<number>((sum, value) => sum + Math.max(0, value ?? 0), 0)]
			: [...values.map((value) => value ?? 0), ...errors.flatMap((bounds) => bounds ?? [])],
	);
	const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)];
	const span = high - low || 1;
	const x = (value: number): number => LEFT + ((value - low) / span) * (WIDTH - LEFT - RIGHT);
	const lines = stacked ? 1 : parts.length;
	const groupHeight = lines * BAR + GAP;
	const perLine = Math.min(parts.length, 4);
	const legend = parts.length > 1 ? 8 + 16 * Math.ceil(parts.length / perLine) : 0;
	const height = legend + groups.length * groupHeight + 42;
	return (
		<svg viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={label} class="plot">
			{parts.length > 1 &&
				parts.map((part, p) => (
					<g
						key={part}
						class={`series-${p % 8}`}
						transform={`translate(${LEFT + ((p % perLine) * (WIDTH - LEFT)) / perLine} ${4 + 16 * Math.floor(p / perLine)})`}
					>
						<rect class="bar" width="11" height="11" />
						<text class="tick" x="16" y="10">
							{clipped(part, 17)}
						</text>
					</g>
				))}
			{roundTicks(low, low + span, 5).map((tick) => (
				<g key={tick}>
					<line class="grid" x1={x(tick)} x2={x(tick)} y1={legend} y2={height - 40} />
					<text class="tick" x={x(tick)} y={height - 24} text-anchor="middle">
						{tickText(tick)}
					</text>
				</g>
			))}
			{groups.map(({ name, values, errors = [] }, g) => {
				let before = 0;
				return (
					<g key={name} transform={`translate(0 ${legend + g * groupHeight + GAP / 2})`}>
						<text class="tick strong" x={LEFT - 8} y={(lines * BAR) / 2 + 4} text-anchor="end">
							{clipped(name, 18)}
							<title>{name}</title>
						</text>
						{values.map((value, p) => {
							if (value === null) return null;
							const from = stacked ? before : 0;
							const to = from + value;
							if (stacked) before = to;
							const y = stacked ? 0 : p * BAR;
							const bounds = errors[p];
							return (
								<g key={parts[p]} class={`series-${p % 8}`}>
									<rect
										class="bar"
										x={Math.min(x(from), x(to))}
										width={Math.max(1, Math.abs(x(to) - x(from)))}
										y={y + 1.5}
										height={BAR - 3}
									>
										<title>{`${name}, ${parts[p]}: ${figure(value)}`}</title>
									</rect>
									{bounds && <line class="error" x1={x(bounds[0])} x2={x(bounds[1])} y1={y + BAR / 2} y2={y + BAR / 2} />}
									{!stacked && (
										<text class="tick" x={x(Math.max(0, to, bounds?.[1] ?? 0)) + 5} y={y + BAR / 2 + 4}>
											{figure(value, 3)}
										</text>
									)}
								</g>
							);
						})}
					</g>
				);
			})}
			<line class="axis" x1={x(0)} x2={x(0)} y1={legend} y2={height - 40} />
			<text class="axis-label" x={(LEFT + WIDTH - RIGHT) / 2} y={height - 6} text-anchor="middle">
				{unit}
			</text>
		</svg>
	);
}

/** The numbers of bars as a table. */
export const numbersOfBars = ({ parts, groups }: Pick<BarsProps, 'parts' | 'groups'>): Numbers => ({
	columns: ['', ...parts],
	rows: groups.map(({ name, values }) => [name, ...values]),
});
