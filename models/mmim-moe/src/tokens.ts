import type { Dim, GraphBuilder, Value } from '@steelyard/onnx';

/** The embeddings of all modalities of a batch, `[batch, modalities, width]`: one token per modality. */
export type Tokens = Value;

const rowsOf = ({ shape: [batch, count] }: Tokens): Dim => {
	if (count === 1) return batch as Dim;
	return typeof batch === 'number' ? batch * (count as number) : `${batch}*${count}`;
};

/** Tokens as a matrix `[batch·modalities, width]`, one token per row. */
export const flat = (g: GraphBuilder, x: Tokens): Value => g.reshape(x, [rowsOf(x), x.shape[2] as Dim]);

/** `[batch, modalities, n]` in parts of one modality, `[batch, n]`. */
export function byModality(g: GraphBuilder, x: Value): Value[] {
	const [batch, count, width] = x.shape as [Dim, number, Dim];
	return g.split(x, new Array<number>(count).fill(1), 1).map((part) => g.reshape(part, [batch, width]));
}

/** One `[batch, n]` per modality → `[batch, modalities, n]`. */
export function stacked(g: GraphBuilder, parts: readonly Value[]): Value {
	const column = (part: Value): Value => g.reshape(part, [part.shape[0] as Dim, 1, part.shape[1] as Dim]);
	return parts.length === 1 ? column(parts[0] as Value) : g.concat(parts.map(column), 1);
}
