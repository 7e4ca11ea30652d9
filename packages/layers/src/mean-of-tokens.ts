import { type ForwardContext, type ParameterSpec, parameterSpec } from '@steelyard/family';
import type { Dim, Value } from '@steelyard/onnx';
import { meanOver } from './mean-over.js';

/** `<name>.tokens` `[count, width]`, the vector of each token, N(0, 1) as in torch.nn.EmbeddingBag. */
export const tokenParameters = (name: string, count: number, width: number): ParameterSpec[] => [
	parameterSpec(`${name}.tokens`, [count, width], { normal: 1 }),
];

/**
 * The mean of the vectors of the tokens of each row, as torch.nn.EmbeddingBag of mode "mean": `ids` `[batch, tokens]` of an integer type → `[batch, width]`. `mask`
 * `[batch, tokens]` is 1 for the tokens that are there, all where it is null; a row without any gives zeros.
 */
export function meanOfTokens({ g, parameter }: ForwardContext, ids: Value, mask: Value | null, name: string): Value {
	const table = parameter(`${name}.tokens`);
	const [batch, tokens] = ids.shape as [Dim, number];
	const width = table.shape[1] as number;
	const vectors = g.op('Gather', [table, g.cast(ids, 'int64')], { axis: 0 }, { shape: [batch, tokens, width] });
	if (mask === null) return g.reshape(g.scale(1 / tokens, g.reduceSum(vectors, [1])), [batch, width]);
	return g.reshape(meanOver(g, vectors, g.reshape(mask, [batch, tokens, 1]), 1), [batch, width]);
}
