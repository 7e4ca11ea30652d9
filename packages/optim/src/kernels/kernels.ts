import { type Memory, WebAssembly } from '@steelyard/runtime';
import { KERNELS } from './kernel-bytes.js';

/** What every update takes: addresses of a parameter vector and its gradient, how many numbers they have, the factor of the gradient, and the L2 decay that is added to it. */
type UpdateOf<More extends readonly number[]> = (
	parameter: number,
	gradient: number,
	numbers: number,
	scale: number,
	decay: number,
	rate: number,
	...more: More
) => void;

/**
 * Updates of float32 vectors in place. With G = scale·gradient + decay·p, each address in bytes and a multiple of 16; up to three numbers behind a vector are changed
 * as well, so they must be there, and zero in the gradient.
 */
export type Kernels = {
	/** p ← p + rate·G */
	readonly sgd: UpdateOf<[]>;
	/** b ← momentum·b + G,  p ← p + rate·b */
	readonly momentum: UpdateOf<[buffer: number, momentum: number]>;
	/** m ← β1·m + G,  v ← β2·v + G²,  p ← keep·p + rate·m/(√v + ε) */
	readonly adam: UpdateOf<[m: number, v: number, beta1: number, beta2: number, epsilon: number, keep: number]>;
	/** Σ g², in float64. */
	readonly sumOfSquares: (vector: number, numbers: number) => number;
};

let compiled: object | undefined;

/** The kernels over a memory. The same on every processor: WebAssembly fixes how each of these operations rounds. */
export function kernelsOver(memory: Memory): Kernels {
	compiled ??= new WebAssembly.Module(Buffer.from(KERNELS, 'base64'));
	return new WebAssembly.Instance(compiled, { host: { memory } }).exports as unknown as Kernels;
}
