import { counterRandom } from '@steelyard/random';
import { arrayDataset, type Npy, type StoredDataset } from './array-dataset.js';

/**
 * A regression whose noise grows from row to row: the label is `2·a₀ + a₁` and a normal number times a deviation, which is `NOISE[0]` where `b₀` is 0, `NOISE[1]`
 * where it is 1, and between them else. Modalities `a` [2], which tells the middle, and `b` [2], which tells the deviation; both are in every row.
 */
export async function noisyDataset(rows: Readonly<Record<'train' | 'valid' | 'test', number>>): Promise<StoredDataset> {
	const arrays: Record<string, Npy> = {};
	const random = counterRandom(5, 'noisy');
	for (const [split, count] of Object.entries(rows)) {
		const a = Float32Array.from({ length: 2 * count }, () => random.normal());
		const b = Float32Array.from({ length: 2 * count }, () => random.uniform());
		const labels = Float32Array.from(
			{ length: count },
			(_, i) => 2 * a[2 * i]! + a[2 * i + 1]! + deviationAt(b[2 * i]!) * random.normal() + 20,
		);
		arrays[`${split}_a`] = { shape: [count, 2], data: a };
		arrays[`${split}_b`] = { shape: [count, 2], data: b };
		arrays[`${split}_labels`] = { shape: [count], data: labels };
	}
	return arrayDataset(arrays);
}

export const NOISE = [0.3, 3] as const;
/** The deviation of the noise of a row. */
export const deviationAt = (b: number): number => NOISE[0] + (NOISE[1] - NOISE[0]) * b;
