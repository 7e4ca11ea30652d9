import type { ModalityShape } from '@steelyard/layers';
import { type DType, type Session, sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import { EVALUATION_BATCH } from '../job/evaluate.js';
import { type Examples, filledUp, fillMask, inBatches } from '../model/examples.js';
import type { Feed, Feeds } from './feeds.js';

/** A graph as a session runs it: what goes in, and the output that holds the logits. */
export type Runnable = Feeds & {
	readonly output: string;
	/** Logits a row. */
	readonly outputs: number;
	/** Of the weights, in their order. */
	readonly modalities: readonly ModalityShape[];
};

/** Numbers as a tensor; towards integers they are cut as ONNX's Cast does, bool is true where they are not 0. */
function converted(dtype: DType, shape: readonly number[], values: Float32Array): Tensor {
	if (dtype === 'float32' || dtype === 'float64') return tensor(dtype, shape, values);
	return tensor(dtype, shape, values.map(dtype === 'bool' ? (value) => (value === 0 ? 0 : 1) : Math.trunc));
}

function fed(
	{ dtype, tail, source }: Feed,
	{ modalities }: Runnable,
	examples: Examples,
	chosen: Uint32Array,
	weights: Float32Array,
): Tensor {
	const data = new Float32Array(chosen.length * sizeOf(tail));
	const m = modalities.findIndex(({ name }) => name === source.modality);
	if (source.from === 'constant') data.fill(source.value);
	else if (source.from === 'mask') fillMask(examples, modalities[m] as ModalityShape, source.kind, chosen, data);
	else if (source.from === 'weight')
		chosen.forEach((i, row) => {
			data[row] = weights[i * modalities.length + m] as number;
		});
	else
		examples.split.gather(
			source.modality,
			chosen.map((i) => examples.rows[i] as number),
			data,
		);
	return converted(dtype, [chosen.length, ...tail], data);
}

/** Logits (values for regression) of all examples, `[N, outputs]`, under weights `[N, M]`; `state` is what the session takes besides. */
export async function runGraph(
	session: Session,
	graph: Runnable,
	examples: Examples,
	weights: Float32Array,
	state: Readonly<Record<string, Tensor>> = {},
): Promise<Float32Array> {
	const { feeds, fixedBatch, output, outputs } = graph;
	const logits = new Float32Array(examples.rows.length * outputs);
	await inBatches(examples, fixedBatch ?? EVALUATION_BATCH, async (real) => {
		const chosen = fixedBatch === null ? real : filledUp(real, fixedBatch);
		const inputs = { ...state, ...Object.fromEntries(feeds.map((feed) => [feed.name, fed(feed, graph, examples, chosen, weights)])) };
		const said = ((await session.run(inputs, [output]))[output] as Tensor).data as Float32Array;
		logits.set(said.subarray(0, real.length * outputs), (real[0] as number) * outputs);
	});
	return logits;
}
