import type { Split } from './dataset.js';

/** Of each feature `[features]`: subtract `mean`, divide by `scale`. */
export type Standardisation = { readonly mean: Float32Array; readonly scale: Float32Array };

const BLOCK_VALUES = 1 << 18;
/** A deviation below this share of the mean (or of 1) is rounding, not signal: such a feature is only shifted. */
const CONSTANT = 1e-8;

/**
 * Mean and population deviation of each feature over the given rows of a modality, over the steps of a sequence too, leaving out absent rows
 * and steps; in float64 (Welford 1962). A feature without spread has scale 1; one never present has mean 0 and scale 1.
 * To be used as (x − mean) / scale.
 */
export function standardisation(split: Split, modality: string, rows: ArrayLike<number>): Standardisation {
	const shape = split.shape(modality);
	const features = shape.at(-1) ?? 1;
	const steps = shape.length === 2 ? (shape[0] as number) : 1;
	const mask = split.mask(modality);
	const mean = new Float64Array(features);
	const squares = new Float64Array(features);
	let count = 0;

	const add = (values: Float32Array, at: number): void => {
		count++;
		for (let f = 0; f < features; f++) {
			const delta = (values[at + f] as number) - (mean[f] as number);
			mean[f] = (mean[f] as number) + delta / count;
			squares[f] = (squares[f] as number) + delta * ((values[at + f] as number) - (mean[f] as number));
		}
	};

	const perBlock = Math.max(1, Math.floor(BLOCK_VALUES / (steps * features)));
	const block = new Float32Array(Math.min(perBlock, rows.length) * steps * features);
	for (let start = 0; start < rows.length; start += perBlock) {
		const part = Array.prototype.slice.call(rows, start, start + perBlock) as number[];
		split.gather(modality, part, block);
		for (let i = 0; i < part.length; i++)
			for (let step = 0; step < steps; step++)
				if (mask === null || mask[(part[i] as number) * steps + step] === 1) add(block, (i * steps + step) * features);
	}
	const scale = squares.map((sum, f) => {
		const deviation = count === 0 ? 0 : Math.sqrt(sum / count);
		return deviation < CONSTANT * Math.max(1, Math.abs(mean[f] as number)) ? 1 : deviation;
	});
	return { mean: Float32Array.from(mean), scale: Float32Array.from(scale) };
}
