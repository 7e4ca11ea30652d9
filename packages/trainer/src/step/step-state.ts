import { type State, type Tensor, tensor } from '@steelyard/runtime';
import type { Parameters } from '../model/architecture.js';
import { packed, parameterState } from '../model/parameter-layout.js';
import { parameterStateName } from '../model/value-names.js';
import type { Step } from './step.js';

/** The state that a step begins with: these parameters and running statistics, and zeros in the slots of the optimizer. */
export function initialState({ state, trained, running }: Step, values: ReadonlyMap<string, ArrayLike<number>>): State {
	const zeros = Object.fromEntries(state.map(({ name, size }) => [name, tensor('float32', [1, size], new Float32Array(size))]));
	return { ...zeros, ...parameterState(packed([...trained, ...running], values)) };
}

/** Parameters and running statistics in the state of a step. */
export const parametersIn = ({ trained, running }: Step, state: State): Parameters =>
	new Map([...trained, ...running].map(({ name }) => [name, state[parameterStateName(name)] as Tensor]));
