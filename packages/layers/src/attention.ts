import { type ForwardContext, type Meets, meeting, type ParameterSpec } from '@steelyard/family';
import type { Dim, GraphBuilder, Value } from '@steelyard/onnx';
import { linearParameters, linearPerToken } from './linear.js';

/** Subtracted from the score of a key that the mask leaves out: after the softmax its attention is 0 in float32. */
const MASKED = 1e9;

/** Softmax over the keys of scores `[…, keys]`. `mask`, which broadcasts to them, leaves keys out by 0; the result of a row without any key has no meaning. */
export function softmaxOverKeys(g: GraphBuilder, scores: Value, mask: Value | null): Value {
	const masked = mask === null ? scores : g.add(scores, g.scale(MASKED, g.sub(mask, g.scalar(1))));
	return g.op('Softmax', [masked], { axis: -1 });
}

/** `x` `[batch, tokens, width]`, with zeros in the rows in which `mask` `[batch, keys]` leaves out all keys. */
export function zerosWithoutKeys(g: GraphBuilder, x: Value, mask: Value | null): Value {
	if (mask === null) return x;
	return g.mul(x, g.reshape(g.reduce('ReduceMax', mask, [1]), [mask.shape[0] as Dim, 1, 1]));
}

/** `[batch, tokens, heads·size]` → `[batch, heads, tokens, size]`. */
export function splitHeads(g: GraphBuilder, x: Value, heads: number): Value {
	const [batch, tokens, width] = x.shape as [Dim, number, number];
	return g.transpose(g.reshape(x, [batch, tokens, heads, width / heads]), [0, 2, 1, 3]);
}

/** `[batch, heads, tokens, size]` → `[batch, tokens, heads·size]`. */
export function joinHeads(g: GraphBuilder, x: Value): Value {
	const [batch, heads, tokens, size] = x.shape as [Dim, number, number, number];
	return g.reshape(g.transpose(x, [0, 2, 1, 3]), [batch, tokens, heads * size]);
}

/** Four linear layers `width` → `width`: `<name>.query`, `.key`, `.value` and `.output`. Query and output meet every query, key and value every key. */
export function attentionParameters(
	name: string,
	width: number,
	meets: { queries: Meets; keys: Meets } = { queries: 'row', keys: 'row' },
): ParameterSpec[] {
	const part = (of: string, by: Meets): ParameterSpec[] => meeting(by, linearParameters(`${name}.${of}`, width, width));
	return [...part('query', meets.queries), ...part('key', meets.keys), ...part('value', meets.keys), ...part('output', meets.queries)];
}

export type AttentionInputs = {
	/** `[batch, queries, width]`. */
	readonly queries: Value;
	/** `[batch, keys, width]`, from which the values come as well; the queries themselves for self attention. */
	readonly keys: Value;
	/** `[batch, keys]` of 0 and 1: whether each key is there; null where all are. */
	readonly mask: Value | null;
};

/**
 * Multi-head attention (Vaswani et al. 2017): softmax(Q·Kᵀ/√size)·V by head, then a linear layer; `[batch, queries, width]`. A row without any key gets zeros.
 * `heads` must divide the width; `dropout` is of the attention.
 */
export function attention(
	context: ForwardContext,
	{ queries, keys, mask }: AttentionInputs,
	name: string,
	{ heads, dropout = 0 }: { readonly heads: number; readonly dropout?: number },
): Value {
	const { g } = context;
	const part = (x: Value, layer: string): Value => splitHeads(g, linearPerToken(context, x, `${name}.${layer}`), heads);
	const [q, k, v] = [part(queries, 'query'), part(keys, 'key'), part(keys, 'value')];
	const size = q.shape[3] as number;
	const scores = g.matMul(g.scale(1 / Math.sqrt(size), q), g.transposed(k));
	const rows = mask === null ? null : g.reshape(mask, [mask.shape[0] as Dim, 1, 1, mask.shape[1] as number]);
	const looked = g.matMul(context.dropout(softmaxOverKeys(g, scores, rows), dropout), v);
	return zerosWithoutKeys(g, linearPerToken(context, joinHeads(g, looked), `${name}.output`), mask);
}
