import { type CustomConfig, type TaskProfile, weightInput } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/family';
import type { Graph, Value } from '@steelyard/onnx';
import type { DType } from '@steelyard/runtime';
import type { MaskKind } from '../model/examples.js';

/** What goes into an input of an uploaded graph. */
export type Source =
	| { readonly from: 'values'; readonly modality: string }
	| { readonly from: 'mask'; readonly modality: string; readonly kind: MaskKind }
	| { readonly from: 'weight'; readonly modality: string }
	| { readonly from: 'labels' }
	| { readonly from: 'constant'; readonly modality: string; readonly value: 0 | 1 };

/** An input `[batch, …shape]` of an uploaded graph and what goes into it. */
export type Feed = { readonly name: string; readonly dtype: DType; readonly shape: readonly number[]; readonly source: Source };

export type Feeds = {
	/** One for every input of the graph, in its order. */
	readonly feeds: readonly Feed[];
	/** The size that the graph gives to the batch; null where it is free. */
	readonly fixedBatch: number | null;
};

/** Values of a modality: the free dimensions of the input have the sizes that the dataset has. */
function valuesFeed({ name, dtype, shape: [, ...dims] }: Value, modality: ModalityShape): Feed {
	const shape = dims.map((dim, i) => (typeof dim === 'number' ? dim : (modality.shape[i] as number)));
	return { name, dtype, shape, source: { from: 'values', modality: modality.name } };
}

/** The mask of a modality: of its steps where the input takes a number for each, else of its rows. */
function maskFeed({ name, dtype, shape: [, ...dims] }: Value, modality: ModalityShape): Feed {
	const hasSteps = modality.shape.length <= 2 || modality.maskedSteps;
	const isOfSteps = hasSteps && dims.length === 1 && dims[0] !== 1;
	const shape = isOfSteps ? [modality.shape[0] as number] : dims.map(() => 1);
	return { name, dtype, shape, source: { from: 'mask', modality: modality.name, kind: isOfSteps ? 'steps' : 'rows' } };
}

function weightFeed({ name, dtype, shape: [, ...dims] }: Value, modality: ModalityShape): Feed {
	return { name, dtype, shape: dims.map(() => 1), source: { from: 'weight', modality: modality.name } };
}

/** The labels: the free dimension of the input has as many as a row has. */
function labelsFeed({ name, dtype, shape: [, ...dims] }: Value, { type, outputs, positions }: TaskProfile): Feed {
	const width = type === 'multilabel' ? outputs : 1;
	return { name, dtype, shape: dims.map((_, i) => positions?.[i] ?? width), source: { from: 'labels' } };
}

/** What goes into each input of a graph, by the config of a job that was admitted: so each input takes the values, the mask or the weight of one modality, or the labels. */
export function feedsOf(
	{ inputs, masks = {}, labels }: CustomConfig,
	graph: Graph,
	modalities: readonly ModalityShape[],
	task: TaskProfile,
): Feeds {
	const feeds = graph.inputs.map((input): Feed => {
		const modalityOf = (names: Readonly<Record<string, string>>) => modalities.find(({ name }) => names[name] === input.name);
		const ofValues = modalityOf(inputs);
		if (ofValues !== undefined) return valuesFeed(input, ofValues);
		const ofMask = modalityOf(masks);
		if (ofMask !== undefined) return maskFeed(input, ofMask);
		if (input.name === labels) return labelsFeed(input, task);
		return weightFeed(input, modalities.find(({ name }) => weightInput(name) === input.name) as ModalityShape);
	});
	const sizes = graph.inputs.flatMap(({ shape: [batch] }) => (typeof batch === 'number' ? [batch] : []));
	return { feeds, fixedBatch: sizes[0] ?? null };
}
