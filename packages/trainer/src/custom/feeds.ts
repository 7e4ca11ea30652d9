import { type CustomConfig, ProblemError } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/family';
import type { Dim, Graph, Value } from '@steelyard/onnx';
import { type DType, sizeOf } from '@steelyard/runtime';
import type { MaskKind } from '../model/examples.js';

/** What goes into an input of an uploaded graph. */
export type Source =
	| { readonly from: 'values'; readonly modality: string }
	| { readonly from: 'mask'; readonly modality: string; readonly kind: MaskKind }
	| { readonly from: 'weight'; readonly modality: string }
	| { readonly from: 'constant'; readonly modality: string; readonly value: 0 | 1 };

/** An input `[batch, …tail]` of an uploaded graph and what goes into it. */
export type Feed = { readonly name: string; readonly dtype: DType; readonly tail: readonly number[]; readonly source: Source };

export type Feeds = {
	/** One for every input of the graph, in its order. */
	readonly feeds: readonly Feed[];
	/** The size that the graph gives to the batch; null where it is free. */
	readonly fixedBatch: number | null;
};

const refuse = (param: string, detail: string): never => {
	throw new ProblemError('invalid_model', detail, param);
};
const listed = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');
const shown = (shape: readonly Dim[]): string => `[${shape.join(', ')}]`;

/** Which modality, and what of it, each input takes. */
function sourcesOf(
	config: CustomConfig,
	graph: Graph,
	modalities: readonly ModalityShape[],
): Map<string, { source: Source; param: string }> {
	const names = graph.inputs.map(({ name }) => name);
	const sources = new Map<string, { source: Source; param: string }>();
	const take = (input: string, source: Source, param: string): void => {
		if (!names.includes(input)) refuse(param, `the graph has no input "${input}"; it has ${listed(names)}`);
		if (sources.has(input)) refuse(param, `the input "${input}" of the graph is named twice`);
		sources.set(input, { source, param });
	};
	const known = new Map(modalities.map((modality) => [modality.name, modality]));
	for (const field of ['inputs', 'masks', 'embeddings'] as const)
		for (const name of Object.keys(config[field] ?? {}))
			if (!known.has(name))
				throw new ProblemError(
					'modality_not_found',
					`model.${field} names the modality "${name}", which the job does not use; it uses ${listed([...known.keys()])}`,
					`model.${field}.${name}`,
				);
	for (const { name, maskedSteps } of modalities) {
		const input = config.inputs[name];
		if (input === undefined)
			refuse('model.inputs', `the modality "${name}" goes into no input; name one in model.inputs, or leave it out of modalities`);
		take(input as string, { from: 'values', modality: name }, `model.inputs.${name}`);
		const mask = config.masks?.[name];
		if (mask !== undefined) take(mask, { from: 'mask', modality: name, kind: maskedSteps ? 'steps' : 'rows' }, `model.masks.${name}`);
		if (names.includes(`w.${name}`)) take(`w.${name}`, { from: 'weight', modality: name }, 'model.inputs');
	}
	const unfed = names.find((name) => !sources.has(name));
	if (unfed !== undefined)
		refuse(
			'model.inputs',
			`nothing goes into the input "${unfed}" of the graph; give it a modality in model.inputs or model.masks, or export the graph without it`,
		);
	return sources;
}

/** The tail of an input that takes a modality's values: its shape, or another one of as many values, read in row-major order. */
function tailOf(input: Value, modality: ModalityShape, param: string, free: Map<string, number>): number[] {
	const dims = input.shape.slice(1);
	const misfit = (): never =>
		refuse(
			param,
			`the input "${input.name}" takes ${shown(input.shape)}, but the modality "${modality.name}" has the shape ${shown(modality.shape)} an instance`,
		);
	if (dims.length !== modality.shape.length) {
		const tail = dims.map((dim) => (typeof dim === 'number' ? dim : misfit()));
		return sizeOf(tail) === sizeOf(modality.shape) ? tail : misfit();
	}
	return dims.map((dim, i) => {
		const size = modality.shape[i] as number;
		if (typeof dim === 'number') return dim === size ? dim : misfit();
		const known = free.get(dim) ?? size;
		if (known !== size)
			refuse(param, `the dimension "${dim}" of the graph would be ${known} and, by the modality "${modality.name}", ${size}`);
		free.set(dim, size);
		return size;
	});
}

const TAKEN: readonly DType[] = ['float32', 'float64', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'bool'];

/** Matches every input of a graph with what the dataset has. Throws ProblemError `invalid_model` naming the field of the spec. */
export function feedsOf(config: CustomConfig, graph: Graph, modalities: readonly ModalityShape[]): Feeds {
	const sources = sourcesOf(config, graph, modalities);
	const free = new Map<string, number>();
	let fixedBatch: number | null = null;
	const batches = new Set(graph.inputs.map(({ shape }) => shape[0]));
	const feeds = graph.inputs.map((input): Feed => {
		const { source, param } = sources.get(input.name) as { source: Source; param: string };
		const modality = modalities.find(({ name }) => name === source.modality) as ModalityShape;
		if (!TAKEN.includes(input.dtype)) refuse(param, `the input "${input.name}" takes ${input.dtype}; expected float32 or an integer type`);
		const [batch, ...dims] = input.shape;
		if (batch === undefined) refuse(param, `the input "${input.name}" is a scalar; expected [batch, …]`);
		if (typeof batch === 'number') {
			if (fixedBatch !== null && fixedBatch !== batch)
				refuse(param, `the input "${input.name}" takes batches of ${batch}, another input of ${fixedBatch}`);
			fixedBatch = batch;
		}
		if (source.from === 'values') return { name: input.name, dtype: input.dtype, tail: tailOf(input, modality, param, free), source };
		const narrow = dims.length === 0 || (dims.length === 1 && dims[0] === 1);
		if (narrow) {
			const tail = dims.length === 0 ? [] : [1];
			return { name: input.name, dtype: input.dtype, tail, source: source.from === 'mask' ? { ...source, kind: 'rows' } : source };
		}
		const steps = modality.shape.length === 2 ? (modality.shape[0] as number) : 1;
		const fits = source.from === 'mask' && dims.length === 1 && (typeof dims[0] === 'string' || dims[0] === steps);
		if (!fits)
			refuse(
				param,
				`the input "${input.name}" takes ${shown(input.shape)}, expected ${source.from === 'mask' ? '[batch] or [batch, steps]' : '[batch] or [batch, 1]'}`,
			);
		return {
			name: input.name,
			dtype: input.dtype,
			tail: [steps],
			source: { ...source, kind: modality.shape.length === 2 ? 'steps' : 'rows' } as Source,
		};
	});
	for (const [dim, size] of free)
		if (batches.has(dim)) refuse('model.inputs', `the dimension "${dim}" of the graph is the batch and also ${size} of an instance`);
	return { feeds, fixedBatch };
}
