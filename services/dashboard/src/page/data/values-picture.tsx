import type { VNode } from 'preact';
import { extent } from '../plots/chart.js';
import { listShape, numbersIn } from './shown-value.js';

const WIDTH = 120;
const HEIGHT = 24;
const MOST = 240;

/** The numbers of a list as a small line. Longer ones are thinned out to the mean of each piece. */
export function ValuesPicture({ value }: { value: unknown }): VNode | null {
	const all = numbersIn(value, 100_000);
	if (all.length < 4) return null;
	const piece = Math.ceil(all.length / MOST);
	const numbers = Array.from({ length: Math.ceil(all.length / piece) }, (_, i) => {
		const part = all.slice(i * piece, (i + 1) * piece);
		return part.reduce((sum, one) => sum + one, 0) / part.length;
	});
	const [low, high] = extent(numbers) ?? [0, 1];
	const y = (at: number): number => HEIGHT - 2 - ((at - low) / (high - low || 1)) * (HEIGHT - 4);
	const points = numbers.map((at, i) => `${((i / Math.max(1, numbers.length - 1)) * WIDTH).toFixed(1)},${y(at).toFixed(1)}`).join(' ');
	return (
		<svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} class="sparkline series-0" aria-hidden="true">
			<polyline points={points} />
			<title>{`${listShape(value).join(' × ')} numbers`}</title>
		</svg>
	);
}
