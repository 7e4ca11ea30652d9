import type { Graph } from '@steelyard/onnx';
import type { ParameterGroup } from '../model/parameter-layout.js';
import type { Port, TrainingBatch } from '../model/port.js';

/** A vector of state `[1, size]`: the input that takes it, the output that gives its next value, and its name outside the step. */
export type StateVector = {
	readonly name: string;
	readonly size: number;
	readonly input: string;
	readonly output: string;
	/** The slot of the optimizer that it holds; null for parameters and running statistics. */
	readonly slot: string | null;
};

/** The slots of the optimizer that a state has, each once. */
export const slotsOf = (state: readonly StateVector[]): string[] => [...new Set(state.flatMap(({ slot }) => slot ?? []))];

/** An input that says which rows of the pool of random numbers one place of the step takes: int64 `[rows]`. */
export type Draw = { readonly name: string; readonly rows: number };

/** A number that the host gives to every step, such as the learning rate. */
export type StepScalar = { readonly name: string; readonly shape: readonly number[] };

/**
 * One training step as a graph: state and a batch in, the next state and what the step reports out. Its inputs are the vectors of state, the ports `[batch, …]`,
 * the draws and the scalars, in this order; its outputs the next vectors of state, then `reportName` of each report. Where it draws, it reads `POOL` from the graph
 * around it. How a step is repeated is not its business: `scan-program.ts` does it inside one run.
 */
export type Step = {
	readonly graph: Graph;
	readonly batch: number;
	readonly trained: readonly ParameterGroup[];
	readonly running: readonly ParameterGroup[];
	readonly state: readonly StateVector[];
	/** Only what the graph reads. */
	readonly ports: readonly Port<TrainingBatch>[];
	readonly draws: readonly Draw[];
	readonly scalars: readonly StepScalar[];
	/** `loss` and, where gradients are clipped, `grad_norm`: scalars. */
	readonly reports: readonly string[];
	/** Multiply-adds, about. */
	readonly work: number;
};

/**
 * A training step in two graphs, for a model whose state is too large to be held twice: `passes` gives the gradients, and `update` changes one part of one vector of
 * state after another. Running statistics and small parameters are vectors `[1, size]`; a parameter that is a group by itself goes into `passes` under its own name
 * and shape.
 */
export type SplitStep = Omit<Step, 'graph'> & {
	/** Parameters, running statistics, ports, draws, `POOL` where it draws, and `LOSS_SCALE` in; `gradientName` of each trained group, the next running statistics, reports and, where gradients are clipped, `CLIP` out. */
	readonly passes: Graph;
	/** Parameter, slots, gradient, scalars, factors of the slots and `CLIP` in; the next parameter and slots out, `[1, n]` each. */
	readonly update: Graph;
};
