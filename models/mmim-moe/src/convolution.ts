import type { ForwardContext, ParameterSpec } from '@steelyard/family';
import { gelu, linear, linearParameters } from '@steelyard/layers';
import type { Dim, Value } from '@steelyard/onnx';

/** How many tokens the convolution of a token sees: the one before it, itself and the one behind it. */
const REACH = 3;

/** Weight `<name>.weight` `[3·width, width]`, of the token before, of the token, of the token behind; and `.bias`. */
export const convolutionParameters = (name: string, width: number): ParameterSpec[] => linearParameters(name, REACH * width, width);

/** A convolution over the tokens x `[batch, tokens, width]`, with zeros around them, then GELU. Keeps the shape. Computed as one product of matrices. */
export function convolution(context: ForwardContext, x: Value, name: string): Value {
	const { g } = context;
	const [batch, tokens, width] = x.shape as [Dim, number, number];
	const padded = g.op('Pad', [x, g.ints([0, 1, 0, 0, 1, 0])], {}, { shape: [batch, tokens + 2, width] });
	const from = (start: number): Value =>
		g.op('Slice', [padded, g.ints([start]), g.ints([start + tokens]), g.ints([1])], {}, { shape: [batch, tokens, width] });
	const seen = g.concat([from(0), from(1), from(2)], 2);
	const rows = typeof batch === 'number' ? batch * tokens : `${batch}*${tokens}`;
	return g.reshape(gelu(g, linear(context, g.reshape(seen, [rows, REACH * width]), name)), [batch, tokens, width]);
}
