import type { Dim, GraphBuilder, Value } from '@steelyard/onnx';

/**
 * Attention pooling of a sequence, `[batch·steps, width]` → `[batch, width]`: the mean of the steps, weighted by the softmax over one score per step.
 * Steps that the mask leaves out get no weight; a row without any step gives an embedding of zeros.
 */
export function attentionPooling(
	g: GraphBuilder,
	h: Value,
	{ batch, steps, mask, score }: { batch: Dim; steps: number; mask: Value | null; score: Value },
): Value {
	const width = h.shape[1] as Dim;
	const raw = g.reshape(g.matMul(h, score), [batch, steps]);
	const masked = mask === null ? raw : g.add(raw, g.mul(g.sub(mask, g.scalar(1)), g.scalar(1e9)));
	const soft = g.op('Softmax', [masked], { axis: 1 });
	const attention = mask === null ? soft : g.mul(soft, mask);
	const pooled = g.matMul(g.reshape(attention, [batch, 1, steps]), g.reshape(h, [batch, steps, width]));
	return g.reshape(pooled, [batch, width]);
}
