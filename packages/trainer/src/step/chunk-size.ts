import type { ModalityShape } from '@steelyard/family';
import { sizeOf } from '@steelyard/runtime';

/** Multiply-adds that a chunk may cost: some tenths of a second on one core. */
const CHUNK_WORK = 5e9;
/** Bytes of input that a chunk may hold. */
const CHUNK_BYTES = 32 * 2 ** 20;

/**
 * How many steps one run takes: few enough that a request to stop is heard soon and the inputs fit, many enough that starting a run costs little beside them.
 * It depends on sizes alone, since results depend on it in their last bits; a chunk that turns out to take long is run in parts (see pace.ts), on which they do
 * not depend.
 */
export function chunkSteps(of: {
	/** Multiply-adds of a step. */
	work: number;
	modalities: readonly ModalityShape[];
	/** Numbers of a row that auxiliary outputs are compared with. */
	targets: number;
	/** Rows of a step. */
	batch: number;
	/** Steps of an epoch. */
	perEpoch: number;
	/** Most steps that a chunk may have. */
	most: number;
}): number {
	const features = of.modalities.reduce((sum, { shape }) => sum + sizeOf(shape), of.targets);
	const limit = Math.min(CHUNK_WORK / of.work, CHUNK_BYTES / (4 * of.batch * features), of.most, of.perEpoch);
	return Math.max(1, Math.floor(limit));
}
