import { counterRandom } from '@steelyard/random';
import type { ChunkPlace } from '../model/dropout-pool.js';

/**
 * Leaves modalities out of rows: sets their presence `[rows, M]` to 0, each with probability `rate`, but never all that a row has: then one of them, drawn at random,
 * stays. A function of seed, model and step; a step has `batch` rows.
 */
export function dropModalities(
	present: Float32Array,
	modalities: number,
	rate: number,
	batch: number,
	{ seed, stream, step }: ChunkPlace,
): void {
	if (rate === 0 || modalities === 1) return;
	const rows = present.length / modalities;
	for (let first = 0; first < rows; first += batch) {
		const random = counterRandom(seed, `modality-dropout/${stream}/${step + first / batch}`);
		for (let row = first; row < Math.min(rows, first + batch); row++) {
			const own = present.subarray(row * modalities, (row + 1) * modalities);
			const had = [...own.keys()].filter((m) => own[m] === 1);
			const kept = had.filter(() => random.uniform() >= rate);
			const stays = kept.length > 0 || had.length === 0 ? kept : [had[random.below(had.length)]];
			for (const m of had) if (!stays.includes(m)) own[m] = 0;
		}
	}
}
