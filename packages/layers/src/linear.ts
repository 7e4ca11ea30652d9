import { type ForwardContext, type ParameterSpec, parameterSpec } from '@steelyard/family';
import type { Dim, Value } from '@steelyard/onnx';

/** Weight `[inputs, outputs]` and bias `[outputs]`, both U(−1/√inputs, 1/√inputs) as in torch.nn.Linear. */
export const linearParameters = (name: string, inputs: number, outputs: number): ParameterSpec[] => [
	parameterSpec(`${name}.weight`, [inputs, outputs], { uniform: 1 / Math.sqrt(inputs) }),
	parameterSpec(`${name}.bias`, [outputs], { uniform: 1 / Math.sqrt(inputs) }),
];

/** x·W + b, `[rows, inputs]` → `[rows, outputs]`. */
export const linear = ({ g, parameter }: ForwardContext, x: Value, name: string): Value =>
	g.gemm(x, parameter(`${name}.weight`), parameter(`${name}.bias`));

/** The rows of `[batch, tokens, …]` as a matrix. */
const rowsOf = (batch: Dim, tokens: number): Dim => (typeof batch === 'number' ? batch * tokens : `${batch}*${tokens}`);

/** `linear` for every token: `[batch, tokens, inputs]` → `[batch, tokens, outputs]`. */
export function linearPerToken(context: ForwardContext, x: Value, name: string): Value {
	const [batch, tokens, inputs] = x.shape as [Dim, number, number];
	const y = linear(context, context.g.reshape(x, [rowsOf(batch, tokens), inputs]), name);
	return context.g.reshape(y, [batch, tokens, y.shape[1] as number]);
}
