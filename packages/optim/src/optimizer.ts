import type { GraphBuilder, Value } from '@steelyard/onnx';
import type { Kernels } from './kernels/kernels.js';

/** Hyperparameters under the names of PyTorch; `weightDecay` is an L2 penalty, except for adamw, where it is decoupled from the gradient. */
export type OptimizerOptions = {
	name: 'sgd' | 'momentum' | 'adam' | 'adamw';
	weightDecay: number;
	/** for momentum */
	momentum: number;
	/** for adam and adamw */
	beta1: number;
	beta2: number;
	epsilon: number;
	/**
	 * What the moments of adam and adamw are within a chunk: `scaled` (unless given), so that their decay costs no pass, or `plain`, as they are after every step, so that
	 * how far a chunk has come does not matter and a step of it can be left out.
	 */
	moments?: 'scaled' | 'plain';
};

/** The place of a step, counted from 1 over the whole training and within its chunk, and its learning rate. */
export type StepPlace = { step: number; inChunk: number; learningRate: number };

/**
 * An optimizer as an ONNX subgraph. Parameters, gradients and state are flat `[1, n]`; scalars are `[1, 1]`, one value per step, computed on the host in float64. The
 * loss is multiplied by the scalar `lossScale` before the backward pass, so that scaling the gradient costs nothing.
 */
export type Optimizer = {
	/** The names of the state that each parameter has; it starts as zeros. */
	readonly slots: readonly string[];
	/** The names of the scalars that `update` reads. */
	readonly scalars: readonly string[];
	/** The most steps in one chunk. */
	readonly maxChunk: number;
	/** `lossScale` and the scalars of one step. */
	scalarsAt(place: StepPlace): Record<string, number>;
	/** Adds the update of one parameter: its next value and its next state. */
	update(
		g: GraphBuilder,
		at: { parameter: Value; gradient: Value; slots: Readonly<Record<string, Value>>; scalars: Readonly<Record<string, Value>> },
	): {
		parameter: Value;
		slots: Record<string, Value>;
	};
	/** The factor of each slot after a chunk of `steps`. */
	afterChunk(steps: number): Record<string, number>;
	/** The same update outside of a graph. */
	readonly inPlace: UpdateInPlace;
};

/** Where the vectors of one parameter lie: addresses in bytes, multiples of 16, as `kernelsOver` takes them. */
export type VectorsInPlace = {
	readonly parameter: number;
	readonly gradient: number;
	readonly slots: Readonly<Record<string, number>>;
	/** How many numbers each vector has. */
	readonly size: number;
};

/** The update of an optimizer by a kernel that changes vectors where they lie. Slots hold what they hold at the end of a chunk of the graph's form. */
export type UpdateInPlace = {
	/** The names of the scalars that `update` reads. */
	readonly scalars: readonly string[];
	/** `lossScale`, which is 1, and the scalars of one step. */
	scalarsAt(place: Pick<StepPlace, 'step' | 'learningRate'>): Record<string, number>;
	/** Changes a parameter and its slots by its gradient times `scale`. */
	update(kernels: Kernels, at: VectorsInPlace, scale: number, scalars: Readonly<Record<string, number>>): void;
};

/** factor·x + y in one pass, which ONNX Runtime has as Gemm. */
export const axpy = (g: GraphBuilder, factor: Value, x: Value, y: Value): Value => g.op('Gemm', [factor, x, y], {}, { shape: x.shape });
