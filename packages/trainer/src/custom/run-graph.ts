import type { ModalityShape } from '@steelyard/family';
import type { Session, Tensor } from '@steelyard/runtime';
import { type Examples, inBatches, taken, takenRows } from '../model/examples.js';
import { type Fill, fillConstant, filledPorts, fillMaskOf, fillValues, fillWeight, type Port } from '../model/port.js';
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

/** Logits (values for regression) of all examples, `[N, outputs]`, under weights `[N, M]`; `state` is what the session takes besides. */
export async function runGraph(
	session: Session,
	{ feeds, fixedBatch, output, outputs, modalities }: Runnable,
	examples: Examples,
	weights: Float32Array,
	state: Readonly<Record<string, Tensor>> = {},
): Promise<Float32Array> {
	const ports = feeds.map((feed) => portOf(feed, modalities));
	const logits = new Float32Array(examples.rows.length * outputs);
	await inBatches(examples.rows.length, fixedBatch, async (places, start, length) => {
		const batch = { ...taken(examples, places), weights: takenRows(weights, modalities.length, places) };
		const found = ((await session.run({ ...state, ...filledPorts(ports, batch) }, [output]))[output] as Tensor).data as Float32Array;
		logits.set(found.subarray(0, length * outputs), start * outputs);
	});
	return logits;
}
