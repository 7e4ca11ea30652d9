import type { ModalityShape, ParameterSpec } from '@steelyard/mlp-fusion';
import { sizeOf } from '@steelyard/runtime';

/** Multiply-adds that a chunk may cost: some tenths of a second on one core. */
const CHUNK_WORK = 5e9;
/** Bytes of input that a chunk may hold. */
const CHUNK_BYTES = 32 * 2 ** 20;

/**
 * Steps of one run: few enough that a stop is heard soon and the inputs fit, many enough that a run costs little beside them.
 * A function of sizes alone, since results depend on it in their last bits.
 */
export function chunkSteps(of: {
	specs: readonly ParameterSpec[];
	modalities: readonly ModalityShape[];
	batch: number;
	perEpoch: number;
	most: number;
}): number {
	const parameters = of.specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
	const features = of.modalities.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
	const longest = Math.max(...of.modalities.map(({ shape }) => (shape.length === 2 ? (shape[0] as number) : 1)));
	const work = 3 * of.batch * parameters * longest + 20 * parameters;
	const limit = Math.min(CHUNK_WORK / work, CHUNK_BYTES / (4 * of.batch * features), of.most, of.perEpoch);
	return Math.max(1, Math.floor(limit));
}
