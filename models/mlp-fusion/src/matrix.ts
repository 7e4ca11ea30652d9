import { type ParameterSpec, parameterSpec } from '@steelyard/family';

/** A matrix without a bias, U(−1/√inputs, 1/√inputs). */
export const matrix = (name: string, inputs: number, outputs: number): ParameterSpec =>
	parameterSpec(name, [inputs, outputs], { uniform: 1 / Math.sqrt(inputs) });
