import type { ModalityShape } from '@steelyard/family';
import type { Session, Tensor } from '@steelyard/runtime';
import { EVALUATION_BATCH, type Examples, inBatches, taken, takenRows } from '../model/examples.js';
import { type Fill, fillConstant, filledPorts, fillMaskOf, fillValues, fillWeight, type Port } from '../model/port.js';
import type { VisitLogits } from '../model/position-logits.js';
import type { Feed, Feeds } from './feeds.js';

/** A graph as a session runs it: what goes in, and the output that holds the logits. */
export type Runnable = Feeds & {
	readonly output: string;
	/** Logits per row. */
	readonly outputs: number;
	/** Of the weights, in their order. */
	readonly modalities: readonly ModalityShape[];
};

function fillOf({ source }: Feed, modalities: readonly ModalityShape[]): Fill {
	const m = modalities.findIndex(({ name }) => name === source.modality);
	switch (source.from) {
		case 'values':
			return fillValues(modalities[m] as ModalityShape);
		case 'mask':
			return fillMaskOf(modalities[m] as ModalityShape, source.kind);
		case 'weight':
			return fillWeight(m, modalities.length);
		case 'constant':
			return fillConstant(source.value);
	}
}

const portOf = (feed: Feed, modalities: readonly ModalityShape[]): Port => ({
	name: feed.name,
	dtype: feed.dtype,
	shape: feed.shape,
	standardisation: null,
	fill: fillOf(feed, modalities),
});

/** Logits that a batch may have: 64 MiB, of which a vocabulary at each of many positions leaves room for few rows. */
const BATCH_LOGITS = 2 ** 24;

/** Visits the logits (values for regression) of all examples under weights `[N, M]`, batch by batch; `state` is what the session takes besides. */
export async function visitGraph(
	session: Session,
	{ feeds, fixedBatch, output, outputs, modalities }: Runnable,
	examples: Examples,
	weights: Float32Array,
	visit: VisitLogits,
	state: Readonly<Record<string, Tensor>> = {},
): Promise<void> {
	const ports = feeds.map((feed) => portOf(feed, modalities));
	const most = Math.max(1, Math.min(EVALUATION_BATCH, Math.floor(BATCH_LOGITS / outputs)));
	const run = async (places: Uint32Array, start: number, length: number): Promise<void> => {
		const batch = { ...taken(examples, places), weights: takenRows(weights, modalities.length, places) };
		const found = ((await session.run({ ...state, ...filledPorts(ports, batch) }, [output]))[output] as Tensor).data as Float32Array;
		visit(found.subarray(0, length * outputs), start, length);
	};
	await inBatches(examples.rows.length, fixedBatch, run, most);
}

/** The logits that `visitGraph` visits, all of them: `[N, outputs]`. */
export async function runGraph(
	session: Session,
	runnable: Runnable,
	examples: Examples,
	weights: Float32Array,
	state: Readonly<Record<string, Tensor>> = {},
): Promise<Float32Array> {
	const logits = new Float32Array(examples.rows.length * runnable.outputs);
	await visitGraph(session, runnable, examples, weights, (found, start) => logits.set(found, start * runnable.outputs), state);
	return logits;
}
