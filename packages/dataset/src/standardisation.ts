import { arrayTypeOf } from './canonical-type.js';
import type { Split } from './dataset.js';

/** Mean and population deviation of each feature of a modality, both of the same `shape`, that of the last axes of x. A feature without spread, or that is missing everywhere, has the deviation 0. */
export type FeatureMoments = { readonly shape: readonly number[]; readonly mean: Float64Array; readonly deviation: Float64Array };

/** Mean and inverse deviation of each feature of a modality, both of the same `shape`, that of the last axes of x; to be used as (x − mean)·inverse. */
export type Standardisation = { readonly shape: readonly number[]; readonly mean: Float32Array; readonly inverse: Float32Array };

const BLOCK_VALUES = 1 << 18;
/** A deviation below this share of the mean (or of 1) is rounding, not signal: such a feature is only shifted. */
const ROUNDING = 1e-8;

/**
 * The moments of a modality over the given rows, and over their steps where it is a sequence, without rows and steps that are missing. Every number of an instance of
 * more axes is a feature. Taken in float64 (Welford 1962).
 */
export function featureMoments(split: Split, modality: string, rows: ArrayLike<number>): FeatureMoments {
	const shape = split.shape(modality);
	const steps = shape.length === 2 ? (shape[0] as number) : 1;
	const ofFeatures = shape.length === 2 ? shape.slice(1) : shape;
	const features = ofFeatures.reduce((product, axis) => product * axis, 1);
	const mask = split.mask(modality);
	const mean = new Float64Array(features);
	const squares = new Float64Array(features);
	let count = 0;

	const add = (values: ArrayLike<number>, at: number): void => {
		count++;
		for (let f = 0; f < features; f++) {
			const value = values[at + f] as number;
			const delta = value - (mean[f] as number);
			mean[f] = (mean[f] as number) + delta / count;
			squares[f] = (squares[f] as number) + delta * (value - (mean[f] as number));
		}
	};

	const perBlock = Math.max(1, Math.floor(BLOCK_VALUES / (steps * features)));
	const block = new (arrayTypeOf(split.dtype(modality)))(Math.min(perBlock, rows.length) * steps * features);
	for (let start = 0; start < rows.length; start += perBlock) {
		const part = Array.prototype.slice.call(rows, start, start + perBlock) as number[];
		split.gather(modality, part, block);
		const numbers = typeof block[0] === 'bigint' ? Float64Array.from(block as ArrayLike<bigint>, Number) : (block as ArrayLike<number>);
		for (let i = 0; i < part.length; i++)
			for (let step = 0; step < steps; step++)
				if (mask === null || mask[(part[i] as number) * steps + step] === 1) add(numbers, (i * steps + step) * features);
	}
	const deviation = squares.map((sum, f) => {
		const found = count === 0 ? 0 : Math.sqrt(sum / count);
		return found < ROUNDING * Math.max(1, Math.abs(mean[f] as number)) ? 0 : found;
	});
	return { shape: ofFeatures, mean, deviation };
}

/** The standardisation by such moments, the inverse of the deviation taken as float32. A feature without spread has the deviation 1, and one that is missing everywhere also the mean 0. */
export function standardisationOf({ shape, mean, deviation }: FeatureMoments): Standardisation {
	const deviations = Float32Array.from(deviation, (value) => (value === 0 ? 1 : value));
	return { shape, mean: Float32Array.from(mean), inverse: deviations.map((value) => 1 / value) };
}
