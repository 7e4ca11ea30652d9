import type { ForwardContext, ParameterSpec } from '@steelyard/family';
import { float, type Value } from '@steelyard/onnx';

/** Scale and shift `[width]`, at first ones and zeros: `<name>.weight` and `.bias`. */
export const layerNormParameters = (name: string, width: number): ParameterSpec[] => [
	{ name: `${name}.weight`, shape: [width], initial: { constant: 1 } },
	{ name: `${name}.bias`, shape: [width], initial: { constant: 0 } },
];

/** Layer normalisation (Ba et al. 2016) over the last axis, ε = 1e-5; the shape of x stays. */
export const layerNorm = ({ g, parameter }: ForwardContext, x: Value, name: string): Value =>
	g.op('LayerNormalization', [x, parameter(`${name}.weight`), parameter(`${name}.bias`)], { axis: -1, epsilon: float(1e-5) });
