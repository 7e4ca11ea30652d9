import { type ForwardContext, type ParameterSpec, parameterSpec } from '@steelyard/family';
import { float, type Value } from '@steelyard/onnx';

/** Scale and shift `[width]`, which start as ones and zeros: `<name>.weight` and `.bias`. */
export const layerNormParameters = (name: string, width: number): ParameterSpec[] => [
	parameterSpec(`${name}.weight`, [width], { constant: 1 }),
	parameterSpec(`${name}.bias`, [width], { constant: 0 }),
];

/** Layer normalisation (Ba et al. 2016) over the last axis, with ε = 1e-5. Keeps the shape of x. */
export const layerNorm = ({ g, parameter }: ForwardContext, x: Value, name: string): Value =>
	g.op('LayerNormalization', [x, parameter(`${name}.weight`), parameter(`${name}.bias`)], { axis: -1, epsilon: float(1e-5) });
