import type { Value } from '@steelyard/onnx';
import type { ForwardContext, ParameterSpec } from './family.js';

/** Weight `[inputs, outputs]` and bias `[outputs]`, both U(−1/√inputs, 1/√inputs) as in torch.nn.Linear. */
export const linearParameters = (name: string, inputs: number, outputs: number): ParameterSpec[] => [
	{ name: `${name}.weight`, shape: [inputs, outputs], initial: { uniform: 1 / Math.sqrt(inputs) } },
	{ name: `${name}.bias`, shape: [outputs], initial: { uniform: 1 / Math.sqrt(inputs) } },
];

/** x·W + b, `[rows, inputs]` → `[rows, outputs]`. */
export const linear = ({ g, parameter }: ForwardContext, x: Value, name: string): Value =>
	g.gemm(x, parameter(`${name}.weight`), parameter(`${name}.bias`));
