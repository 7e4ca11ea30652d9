import type { ModalityShape } from '@steelyard/family';
import { type Provider, sizeOf } from '@steelyard/runtime';

/** What a chunk may cost: multiply-adds, and bytes of input. */
type Limits = { readonly work: number; readonly bytes: number };

/** Some tenths of a second on one core. */
const HOST: Limits = { work: 5e9, bytes: 32 * 2 ** 20 };
/** Some tenths of a second at ten million million operations a second, of which GPUs are capable; the state crosses the bus twice a chunk, so that long ones cost less. */
const CUDA: Limits = { work: 1e12, bytes: 128 * 2 ** 20 };

/**
 * How many steps one run takes: few enough that a request to stop is heard soon and the inputs fit, many enough that starting a run costs little beside them.
 * It depends on sizes alone, since results depend on it in their last bits; a chunk that turns out to take long is run in parts (see pace.ts), on which they do
 * not depend.
 */
export function chunkSteps(of: {
	provider: Provider;
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
	const { work, bytes } = of.provider === 'cuda' ? CUDA : HOST;
	const limit = Math.min(work / of.work, bytes / (4 * of.batch * features), of.most, of.perEpoch);
	return Math.max(1, Math.floor(limit));
}
