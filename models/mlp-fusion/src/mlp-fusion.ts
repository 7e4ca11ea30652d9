import type { MlpFusionConfig } from '@steelyard/contracts';
import type { Dim, GraphBuilder, Value } from '@steelyard/onnx';
import type { Family, ParameterSpec } from './family.js';

/** Initialisation of torch.nn.Linear: U(−1/√inputs, 1/√inputs) for weight `[inputs, outputs]` and bias. */
const linear = (name: string, inputs: number, outputs: number): ParameterSpec[] => [
	{ name: `${name}.weight`, shape: [inputs, outputs], bound: 1 / Math.sqrt(inputs) },
	{ name: `${name}.bias`, shape: [outputs], bound: 1 / Math.sqrt(inputs) },
];

/** Linear layers with ReLU between them; the last one is bare. */
function layers(g: GraphBuilder, x: Value, name: string, count: number, parameter: (name: string) => Value): Value {
	let h = x;
	for (let i = 0; i < count; i++) {
		if (i > 0) h = g.op('Relu', [h]);
		h = g.gemm(h, parameter(`${name}.${i}.weight`), parameter(`${name}.${i}.bias`));
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
	parameters({ hidden, encoder_layers, head_layers }, modalities, outputs) {
		const encoders = modalities.flatMap(({ name, shape }) => {
			const features = shape.at(-1) as number;
			const mlp = Array.from({ length: encoder_layers }, (_, i) =>
				linear(`encoder.${name}.${i}`, i === 0 ? features : hidden, hidden),
			).flat();
			const pool = shape.length === 2 ? [{ name: `encoder.${name}.score`, shape: [hidden, 1], bound: 1 / Math.sqrt(hidden) }] : [];
			return [...mlp, ...pool];
		});
		const head = Array.from({ length: head_layers }, (_, i) =>
			linear(`head.${i}`, i === 0 ? hidden * modalities.length : hidden, i === head_layers - 1 ? outputs : hidden),
		).flat();
		return [...encoders, ...head];
	},

	encode(g, { encoder_layers }, { name, shape }, { x, mask }, parameter) {
		if (shape.length === 1) return layers(g, x, `encoder.${name}`, encoder_layers, parameter);
		const [steps, features] = shape as [number, number];
		const batch = x.shape[0] as Dim;
		const rows = typeof batch === 'number' ? batch * steps : `${batch}*${steps}`;
		const h = layers(g, g.reshape(x, [rows, features]), `encoder.${name}`, encoder_layers, parameter);
		return attentionPool(g, g.op('Relu', [h]), batch, steps, mask, parameter(`encoder.${name}.score`));
	},

	fuse(g, { head_layers }, embeddings, parameter) {
		const joined = embeddings.length === 1 ? (embeddings[0] as Value) : g.concat(embeddings, 1);
		return layers(g, g.op('Relu', [joined]), 'head', head_layers, parameter);
	},
};
