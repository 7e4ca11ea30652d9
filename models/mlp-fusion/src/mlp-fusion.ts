import type { MlpFusionConfig } from '@steelyard/contracts';
import { type Family, type ForwardContext, linear, linearParameters, onlyLogits } from '@steelyard/layers';
import type { Dim, GraphBuilder, Value } from '@steelyard/onnx';

/** Linear layers with ReLU between them; the last one is bare. */
function layers(context: ForwardContext, x: Value, name: string, count: number): Value {
	let h = x;
	for (let i = 0; i < count; i++) {
		if (i > 0) h = context.g.op('Relu', [h]);
		h = linear(context, h, `${name}.${i}`);
	}
	return h;
}

/**
 * Attention pooling of a sequence: softmax over the steps of one score a step, `[batch·steps, width]` → `[batch, width]`.
 * Steps that the mask leaves out get no weight; a row without any step gives an embedding of zeros.
 */
function attentionPool(g: GraphBuilder, h: Value, batch: Dim, steps: number, mask: Value | null, score: Value): Value {
	const width = h.shape[1] as Dim;
	const raw = g.reshape(g.matMul(h, score), [batch, steps]);
	const far = mask === null ? raw : g.add(raw, g.mul(g.sub(mask, g.scalar(1)), g.scalar(1e9)));
	const soft = g.op('Softmax', [far], { axis: 1 });
	const attention = mask === null ? soft : g.mul(soft, mask);
	const pooled = g.matMul(g.reshape(attention, [batch, 1, steps]), g.reshape(h, [batch, steps, width]));
	return g.reshape(pooled, [batch, width]);
}

/** One MLP a modality (over every step of a sequence, then attention pooling) to one width; weighted, concatenated, MLP head. */
export const mlpFusion: Family<MlpFusionConfig> = {
	mixesRows: false,

	parameters({ hidden, encoder_layers, head_layers }, modalities, outputs) {
		const encoders = modalities.flatMap(({ name, shape }) => {
			const features = shape.at(-1) as number;
			const mlp = Array.from({ length: encoder_layers }, (_, i) =>
				linearParameters(`encoder.${name}.${i}`, i === 0 ? features : hidden, hidden),
			).flat();
			const pool =
				shape.length === 2 ? [{ name: `encoder.${name}.score`, shape: [hidden, 1], initial: { uniform: 1 / Math.sqrt(hidden) } }] : [];
			return [...mlp, ...pool];
		});
		const head = Array.from({ length: head_layers }, (_, i) =>
			linearParameters(`head.${i}`, i === 0 ? hidden * modalities.length : hidden, i === head_layers - 1 ? outputs : hidden),
		).flat();
		return [...encoders, ...head];
	},

	embeddingShape: ({ hidden }) => [hidden],

	encode(context, { encoder_layers }, { name, shape }, { x, mask }) {
		const { g, parameter } = context;
		if (shape.length === 1) return layers(context, x, `encoder.${name}`, encoder_layers);
		const [steps, features] = shape as [number, number];
		const batch = x.shape[0] as Dim;
		const rows = typeof batch === 'number' ? batch * steps : `${batch}*${steps}`;
		const h = layers(context, g.reshape(x, [rows, features]), `encoder.${name}`, encoder_layers);
		return attentionPool(g, g.op('Relu', [h]), batch, steps, mask, parameter(`encoder.${name}.score`));
	},

	fuse(context, { head_layers }, embeddings) {
		const values = embeddings.map(({ embedding }) => embedding);
		const joined = values.length === 1 ? (values[0] as Value) : context.g.concat(values, 1);
		return onlyLogits(layers(context, context.g.op('Relu', [joined]), 'head', head_layers));
	},
};
