import type { ModalityShape } from '@steelyard/layers';
import { sizeOf } from '@steelyard/runtime';
import type { ParameterShape } from '../model/architecture.js';

/** Multiply-adds that a chunk may cost: some tenths of a second on one core. */
const CHUNK_WORK = 5e9;
/** Bytes of input that a chunk may hold. */
const CHUNK_BYTES = 32 * 2 ** 20;

type Dense = { parameters: readonly ParameterShape[]; modalities: readonly ModalityShape[]; batch: number };

const countOf = (parameters: readonly ParameterShape[]): number => parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** Multiply-adds of a training step, given those of its forward pass: the backward pass costs twice as much, the optimizer as much a parameter. */
export const stepWork = (forward: number, parameters: readonly ParameterShape[]): number => 3 * forward + 20 * countOf(parameters);

/** Multiply-adds of the forward pass of a model whose parameters each meet every row once, or every step of the longest sequence. */
export function denseWork({ parameters, modalities, batch }: Dense): number {
	const longest = Math.max(...modalities.map(({ shape }) => (shape.length === 2 ? (shape[0] as number) : 1)));
	return batch * countOf(parameters) * longest;
}

/**
 * Steps of one run: few enough that a stop is heard soon and the inputs fit, many enough that a run costs little beside them.
 * A function of sizes alone, since results depend on it in their last bits.
 */
export function chunkSteps(of: {
	/** Multiply-adds of a step. */
	work: number;
	modalities: readonly ModalityShape[];
	batch: number;
	perEpoch: number;
	most: number;
}): number {
	const features = of.modalities.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
	const limit = Math.min(CHUNK_WORK / of.work, CHUNK_BYTES / (4 * of.batch * features), of.most, of.perEpoch);
	return Math.max(1, Math.floor(limit));
}
