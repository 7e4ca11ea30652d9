import type { GraphBuilder, Value } from '@steelyard/onnx';

/** x·Φ(x) with the distribution function Φ of the standard normal (Hendrycks and Gimpel 2016), by the error function. */
export function gelu(g: GraphBuilder, x: Value): Value {
	const erf = g.op('Erf', [g.scale(Math.SQRT1_2, x)]);
	return g.mul(x, g.add(g.scale(0.5, erf), g.scalar(0.5)));
}
