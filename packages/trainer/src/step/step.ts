import type { Graph } from '@steelyard/onnx';
import type { UpdateInPlace } from '@steelyard/optim';
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
	/** `loss`, where gradients are clipped `grad_norm`, and where steps are guarded `finite`, which is 0 for a step that changes nothing, else 1: scalars. */
	readonly reports: readonly string[];
	/** Multiply-adds, about. */
	readonly work: number;
};

/**
 * A training step whose state is changed in place: `passes` gives the gradients of a batch, then `optimizer` updates one vector of state after another. Parameters and
 * running statistics go into `passes` under their own names and shapes.
 */
export type InPlaceStep = Omit<Step, 'graph'> & {
	/** Parameters, running statistics, ports, draws, `POOL` where it draws, and `LOSS_SCALE` in; `gradientName` of each parameter, `statisticName` of each running statistic, and `loss` out. */
	readonly passes: Graph;
	readonly optimizer: UpdateInPlace;
	/** The largest global L2 norm that the gradient may have; null for no limit. */
	readonly clipNorm: number | null;
};
