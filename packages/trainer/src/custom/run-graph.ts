import type { TaskProfile } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/family';
import type { Session, Tensor } from '@steelyard/runtime';
import { type AuxiliaryOutput, auxiliaryWidth } from '../model/auxiliary-output.js';
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

/** An auxiliary output, and the value of the graph that holds its logits or values. */
export type TrainedOutput = AuxiliaryOutput & { readonly value: string };

/** A graph as a session runs it: what goes in, and the outputs that hold the logits, its own loss and the auxiliary outputs. */
export type Runnable = Feeds & {
	/** Null where only the loss is wanted. */
	readonly output: string | null;
	readonly ownLoss: OwnLoss | null;
	readonly auxiliary: readonly TrainedOutput[];
	readonly task: TaskProfile;
	/** Logits per row. */
	readonly outputs: number;
	/** Of the weights, in their order. */
	readonly modalities: readonly ModalityShape[];
};

/** The values that a job takes of a graph: the logits, its own loss, and what auxiliary outputs give. */
export const resultsOf = ({ output, ownLoss, auxiliary }: Pick<Runnable, 'output' | 'ownLoss' | 'auxiliary'>): string[] => [
	...new Set([output, ownLoss?.output, ...auxiliary.map(({ value }) => value)].flatMap((name) => name ?? [])),
];

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
	{ feeds, fixedBatch, output, ownLoss, auxiliary, outputs, modalities, task }: Runnable,
	examples: Examples,
	weights: Float32Array,
	visit: VisitOutputs,
	state: Readonly<Record<string, Tensor>> = {},
): Promise<number | null> {
	const ports = feeds.map((feed) => portOf(feed, modalities, task));
	const perRow = auxiliary.reduce((sum, one) => sum + auxiliaryWidth(one), outputs);
	const most = ownLoss?.batch ?? Math.max(1, Math.min(EVALUATION_BATCH, Math.floor(BATCH_LOGITS / perRow)));
	const wanted = resultsOf({ output, ownLoss, auxiliary });
	let [sum, counted] = [0, 0];
	const run = async (places: Uint32Array, start: number, length: number): Promise<void> => {
		const batch = { ...taken(examples, places), weights: takenRows(weights, modalities.length, places) };
		const found = await session.run({ ...state, ...filledPorts(ports, batch) }, wanted);
		const numbers = (name: string): Float32Array => (found[name] as Tensor).data as Float32Array;
		const ofRows = (name: string, width: number): Float32Array => numbers(name).subarray(0, length * width);
		const others = auxiliary.map((one) => ofRows(one.value, auxiliaryWidth(one)));
		visit(output === null ? null : ofRows(output, outputs), start, length, others);
		if (ownLoss === null || length < places.length) return;
		sum += length * (numbers(ownLoss.output)[0] as number);
		counted += length;
	};
	await inBatches(examples.rows.length, fixedBatch, run, most);
	return counted === 0 ? null : sum / counted;
}
