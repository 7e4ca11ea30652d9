import { sizeOf, type Tensor } from '@steelyard/runtime';
import { numbersOf } from './numbers.js';

/** What a tensor is by its numbers, whatever it is used for. */
export type Pattern = 'uniform' | 'additive mask' | 'binary mask' | 'sinusoids' | 'ramp';

/** A number below this, added to a score, takes the score out of a softmax. */
const MASKED = -1e3;
const FEWEST_POSITIONS = 5;
/** Share of the largest number in a column that counts as rounding: tables are computed in float32, at positions up to some thousands. */
const ROUNDING = 1e-3;

const every = (size: number, test: (index: number) => boolean): boolean => {
	for (let i = 0; i < size; i++) if (!test(i)) return false;
	return true;
};

/** Whether x[p−1] + x[p+1] = k·x[p] with one k for all p, as for sines and cosines of evenly spaced angles; undefined for a constant column, which proves nothing. */
function isWave(at: (position: number) => number, length: number): boolean | undefined {
	let largest = 0;
	let products = 0;
	let squares = 0;
	let moves = false;
	for (let p = 0; p < length; p++) {
		largest = Math.max(largest, Math.abs(at(p)));
		moves ||= at(p) !== at(0);
	}
	if (!moves) return undefined;
	for (let p = 1; p < length - 1; p++) {
		products += at(p) * (at(p - 1) + at(p + 1));
		squares += at(p) ** 2;
	}
	const k = products / squares;
	return Math.abs(k) <= 2 + ROUNDING && every(length - 2, (p) => Math.abs(at(p) + at(p + 2) - k * at(p + 1)) <= ROUNDING * largest);
}

/** Whether along some axis every column is a wave or constant, and one at least a wave. */
function isTableOfWaves(shape: readonly number[], at: (index: number) => number): boolean {
	return shape.slice(0, -1).some((length, axis) => {
		if (length < FEWEST_POSITIONS) return false;
		const stride = sizeOf(shape.slice(axis + 1));
		let waves = 0;
		const all = every(sizeOf(shape) / length, (column) => {
			const start = Math.floor(column / stride) * stride * length + (column % stride);
			const wave = isWave((p) => at(start + p * stride), length);
			if (wave === true) waves++;
			return wave !== false;
		});
		return all && waves > 0;
	});
}

/** The pattern of numbers that nobody trained: masks, sines of positions, evenly spaced or equal numbers; null where there is none. */
export function patternOf(tensor: Tensor): Pattern | null {
	const size = sizeOf(tensor.shape);
	if (size < 2) return null;
	const at = numbersOf(tensor);
	const first = at(0);
	if (every(size, (i) => at(i) === first)) return 'uniform';
	if (every(size, (i) => at(i) === 0 || at(i) <= MASKED)) return 'additive mask';
	if (every(size, (i) => at(i) === 0 || at(i) === 1)) return 'binary mask';
	const extents = tensor.shape.filter((dim) => dim > 1);
	const step = at(1) - first;
	const slack = ROUNDING * Math.abs(step);
	if (extents.length === 1 && size > 3 && every(size - 1, (i) => Math.abs(at(i + 1) - at(i) - step) <= slack)) return 'ramp';
	return isTableOfWaves(tensor.shape, at) ? 'sinusoids' : null;
}
