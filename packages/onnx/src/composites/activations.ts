import type { GraphBuilder } from '../builder.js';
import type { Value } from '../graph.js';
import { compare, type Expansions, plus, real, sizes, times, unsupported, where } from './composite.js';

/** log(1 + exp(x)) = max(x, 0) + log(1 + exp(−|x|)), which neither overflows nor loses small terms. */
const softplus = (g: GraphBuilder, x: Value): Value =>
	x.dtype === 'float32' ? g.op('Softplus', [x]) : g.add(g.op('Relu', [x]), g.op('Log', [plus(g, g.exp(g.neg(g.op('Abs', [x]))), 1)]));

/** x·Φ(x), Φ by erf or by tanh(√(2/π)·(x + 0.044715·x³)) (Hendrycks and Gimpel 2016). */
export function gelu(g: GraphBuilder, x: Value, approximate: 'none' | 'tanh' = 'none'): Value {
	const cube = (): Value => times(g, g.mul(x, g.mul(x, x)), 0.044715);
	const inner =
		approximate === 'tanh' ? g.op('Tanh', [times(g, g.add(x, cube()), Math.sqrt(2 / Math.PI))]) : g.op('Erf', [times(g, x, Math.SQRT1_2)]);
	return g.mul(times(g, x, 0.5), plus(g, inner, 1));
}

/** x·σ(α·x). */
export const swish = (g: GraphBuilder, x: Value, alpha: number): Value => g.mul(x, g.op('Sigmoid', [times(g, x, alpha)]));

export const activations: Expansions = {
	Gelu: ({ g, input, text, node }) => {
		const approximate = text('approximate', 'none');
		if (approximate !== 'none' && approximate !== 'tanh')
			throw unsupported(node, `has the attribute approximate = "${approximate}", expected "none" or "tanh"`);
		return [gelu(g, input(0), approximate)];
	},
	Swish: ({ g, input, float }) => [swish(g, input(0), float('alpha', 1))],
	// x·tanh(softplus(x))
	Mish: ({ g, input }) => [g.mul(input(0), g.op('Tanh', [softplus(g, input(0))]))],
	// x·max(0, min(1, x/6 + 1/2))
	HardSwish: ({ g, input }) => {
		const x = input(0);
		const gate = g.op('Clip', [plus(g, times(g, x, 1 / 6), 0.5), real(g, 0, x.dtype), real(g, 1, x.dtype)]);
		return [g.mul(x, gate)];
	},
	// x + bias below −λ, x − bias above λ, 0 between
	Shrink: ({ g, input, float }) => {
		const x = input(0);
		if (!x.dtype.startsWith('float')) return null;
		const [bias, lambda] = [float('bias', 0), float('lambd', 0.5)];
		const zero = real(g, 0, x.dtype);
		const above = where(g, compare(g, 'Greater', x, real(g, lambda, x.dtype)), plus(g, x, -bias), zero, sizes(x));
		return [where(g, compare(g, 'Less', x, real(g, -lambda, x.dtype)), plus(g, x, bias), above, sizes(x))];
	},
	// saturate and round_mode concern float8 alone, which is refused before
	CastLike: ({ g, input }) => [g.cast(input(0), input(1).dtype)],
};
