import type { TaskProfile } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/family';
import type { Session, Tensor } from '@steelyard/runtime';
import { EVALUATION_BATCH, type Examples, inBatches, taken, takenRows } from '../model/examples.js';
import { type Fill, fillConstant, filledPorts, fillLabels, fillMaskOf, fillValues, fillWeight, type Port } from '../model/port.js';
import type { VisitOutputs } from '../model/position-logits.js';
import type { Feed, Feeds } from './feeds.js';

/** A graph that computes its loss itself. */
export type OwnLoss = {
	/** The output that holds the loss. */
	readonly output: string;
	/** Rows of a batch that has one loss. */
	readonly batch: number;
};

/** A graph as a session runs it: what goes in, and the outputs that hold the logits and its own loss. */
export type Runnable = Feeds & {
	/** Null where only the loss is wanted. */
	readonly output: string | null;
	readonly ownLoss: OwnLoss | null;
	readonly task: TaskProfile;
	/** Logits per row. */
	readonly outputs: number;
	/** Of the weights, in their order. */
	readonly modalities: readonly ModalityShape[];
};

function fillOf({ source }: Feed, modalities: readonly ModalityShape[], task: TaskProfile): Fill {
	if (source.from === 'labels') return fillLabels(task);
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

const portOf = (feed: Feed, modalities: readonly ModalityShape[], task: TaskProfile): Port => ({
	name: feed.name,
	dtype: feed.dtype,
	shape: feed.shape,
	standardisation: null,
	fill: fillOf(feed, modalities, task),
});

/** Logits that a batch may have: 64 MiB, of which a vocabulary at each of many positions leaves room for few rows. */
const BATCH_LOGITS = 2 ** 24;

/**
 * Visits the logits (values for regression) of all examples under weights `[N, M]`, batch by batch, where the graph gives any, and returns the graph's own loss as
 * `OwnModel` says; `state` is what the session takes besides. A loss of the graph's own is asked for in its batches, of which the last is shorter; where the batch is
 * fixed, the loss of one that is filled up does not count.
 */
export async function visitGraph(
	session: Session,
	{ feeds, fixedBatch, output, ownLoss, outputs, modalities, task }: Runnable,
	examples: Examples,
	weights: Float32Array,
	visit: VisitOutputs,
	state: Readonly<Record<string, Tensor>> = {},
): Promise<number | null> {
	const ports = feeds.map((feed) => portOf(feed, modalities, task));
	const most = ownLoss?.batch ?? Math.max(1, Math.min(EVALUATION_BATCH, Math.floor(BATCH_LOGITS / outputs)));
	const wanted = [output, ownLoss?.output].flatMap((name) => name ?? []);
	let [sum, counted] = [0, 0];
	const run = async (places: Uint32Array, start: number, length: number): Promise<void> => {
		const batch = { ...taken(examples, places), weights: takenRows(weights, modalities.length, places) };
		const found = await session.run({ ...state, ...filledPorts(ports, batch) }, wanted);
		const numbers = (name: string): Float32Array => (found[name] as Tensor).data as Float32Array;
		visit(output === null ? null : numbers(output).subarray(0, length * outputs), start, length);
		if (ownLoss === null || length < places.length) return;
		sum += length * (numbers(ownLoss.output)[0] as number);
		counted += length;
	};
	await inBatches(examples.rows.length, fixedBatch, run, most);
	return counted === 0 ? null : sum / counted;
}
