import type { GraphBuilder, Value } from '@steelyard/onnx';

/** Hyperparameters by the names that PyTorch uses; `weightDecay` is L2 but for adamw, where it is decoupled. */
export type OptimizerOptions = {
	name: 'sgd' | 'momentum' | 'adam' | 'adamw';
	weightDecay: number;
	/** for momentum */
	momentum: number;
	/** for adam and adamw */
	beta1: number;
	beta2: number;
	epsilon: number;
};

/** A step's place: counted from 1 over the whole training and within its chunk of one run. */
export type StepPlace = { step: number; inChunk: number; learningRate: number };

/**
 * An optimizer as ONNX subgraph. Parameters, gradients and state are flat `[1, n]`; scalars are `[1, 1]`, one value a step, made on the host in float64.
 * An optimizer may want the loss multiplied by its scalar `lossScale` before the backward pass, so that scaling the gradient costs nothing.
 */
export type Optimizer = {
	/** State beside each parameter, zero at first. */
	readonly slots: readonly string[];
	/** Names of the scalars that `update` reads. */
	readonly scalars: readonly string[];
	/** Most steps in one chunk. */
	readonly maxChunk: number;
	scalarsAt(place: StepPlace): Record<string, number>;
	update(
		g: GraphBuilder,
		at: { parameter: Value; gradient: Value; slots: Readonly<Record<string, Value>>; scalars: Readonly<Record<string, Value>> },
	): {
		parameter: Value;
		slots: Record<string, Value>;
	};
	/** Factor for each slot after a chunk of `steps`. */
	afterChunk(steps: number): Record<string, number>;
};

/** factor·x + y in one pass; Gemm is ORT's axpy. */
export const axpy = (g: GraphBuilder, factor: Value, x: Value, y: Value): Value => g.op('Gemm', [factor, x, y], {}, { shape: x.shape });
