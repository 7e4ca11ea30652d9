import { counterRandom } from '@steelyard/dataset';
import type { ChunkPlace } from '../model/dropout-pool.js';

/**
 * Leaves modalities out of rows: sets weights `[rows, M]` to 0, each with probability `rate`, but never all that a row has: then one of them, drawn at
 * random, stays. A function of seed, model and step; a step has `batch` rows.
 */
export function dropModalities(
	weights: Float32Array,
	modalities: number,
	rate: number,
	batch: number,
	{ seed, stream, step }: ChunkPlace,
): void {
	if (rate === 0 || modalities === 1) return;
	const rows = weights.length / modalities;
	for (let first = 0; first < rows; first += batch) {
		const random = counterRandom(seed, `modality-dropout/${stream}/${step + first / batch}`);
		for (let row = first; row < Math.min(rows, first + batch); row++) {
			const own = weights.subarray(row * modalities, (row + 1) * modalities);
			const there = [...own.keys()].filter((m) => own[m] !== 0);
			const kept = there.filter(() => random.uniform() >= rate);
			const stays = kept.length > 0 || there.length === 0 ? kept : [there[random.below(there.length)]];
			for (const m of there) if (!stays.includes(m)) own[m] = 0;
		}
	}
}
