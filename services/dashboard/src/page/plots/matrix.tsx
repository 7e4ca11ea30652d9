import type { VNode } from 'preact';
import type { Numbers } from './chart.js';

export type MatrixProps = {
	label: string;
	/** Names of the rows, which are the true classes. */
	rows: readonly string[];
	/** Names of the columns, which are the predicted classes. */
	columns: readonly string[];
	/** `counts[row][column]` */
	counts: readonly (readonly number[])[];
};

const LEFT = 120;
const TOP = 44;
const clipped = (text: string, most: number) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** A confusion matrix: each row is shaded by its shares. */
export function Matrix({ label, rows, columns, counts }: MatrixProps): VNode {
	const cell = Math.max(22, Math.min(84, Math.floor(500 / columns.length)));
	const line = Math.max(22, Math.min(40, Math.floor(360 / rows.length)));
	const width = LEFT + columns.length * cell + 10;
	const height = TOP + rows.length * line + 10;
	const letters = Math.max(2, Math.floor(cell / 7.5));
	return (
		<svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label} class="plot" style={{ maxWidth: `${width * 1.15}px` }}>
			<text class="axis-label" x={LEFT + (columns.length * cell) / 2} y="13" text-anchor="middle">
				predicted
			</text>
			<text class="axis-label" transform={`translate(12 ${TOP + (rows.length * line) / 2}) rotate(-90)`} text-anchor="middle">
				true
			</text>
			{columns.map((name, c) => (
				<text key={name} class="tick" x={LEFT + (c + 0.5) * cell} y={TOP - 8} text-anchor="middle">
					{clipped(name, letters)}
					<title>{name}</title>
				</text>
			))}
			{rows.map((name, r) => {
				const own = counts[r] ?? [];
				const total = own.reduce((sum, count) => sum + count, 0);
				return (
					<g key={name} transform={`translate(0 ${TOP + r * line})`}>
						<text class="tick" x={LEFT - 8} y={line / 2 + 4} text-anchor="end">
							{clipped(name, 14)}
							<title>{name}</title>
						</text>
						{own.map((count, c) => {
							const share = total === 0 ? 0 : count / total;
							return (
								<g key={columns[c]}>
									<rect
										class={`cell${rows[r] === columns[c] ? ' right' : ''}`}
										x={LEFT + c * cell + 1}
										y="1"
										width={cell - 2}
										height={line - 2}
										fill-opacity={0.06 + 0.84 * share}
									>
										<title>{`true ${name}, predicted ${columns[c]}: ${count} (${(share * 100).toFixed(1)} %)`}</title>
									</rect>
									<text class={`tick${share > 0.55 ? ' inverse' : ''}`} x={LEFT + (c + 0.5) * cell} y={line / 2 + 4} text-anchor="middle">
										{count > 0 || columns.length <= 12 ? count : ''}
									</text>
								</g>
							);
						})}
					</g>
				);
			})}
		</svg>
	);
}

/** The numbers of a matrix as a table. */
export const numbersOfMatrix = ({ rows, columns, counts }: Omit<MatrixProps, 'label'>): Numbers => ({
	columns: ['true \\ predicted', ...columns],
	rows: rows.map((name, r) => [name, ...(counts[r] ?? [])]),
});
