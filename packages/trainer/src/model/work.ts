import type { ModalityShape } from '@steelyard/family';
import { sizeOf } from '@steelyard/runtime';
import type { ParameterShape } from './architecture.js';

export const countOf = (parameters: readonly ParameterShape[]): number => parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** Multiply-adds of a training step, given those of its forward pass: the backward pass costs twice as much, the optimizer about 20 per parameter. */
export const stepWork = (forward: number, parameters: readonly ParameterShape[]): number => 3 * forward + 20 * countOf(parameters);

/** Multiply-adds of the forward pass of a model in which every parameter meets every row once, or every step of the longest sequence. */
export function denseWork({
	parameters,
	modalities,
	batch,
}: {
	parameters: readonly ParameterShape[];
	modalities: readonly ModalityShape[];
	batch: number;
}): number {
	const longest = Math.max(...modalities.map(({ shape }) => (shape.length === 2 ? (shape[0] as number) : 1)));
	return batch * countOf(parameters) * longest;
}
