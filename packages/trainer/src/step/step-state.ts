import type { Optimizer } from '@steelyard/optim';
import { type State, type Tensor, tensor } from '@steelyard/runtime';
import type { Parameters } from '../model/architecture.js';
import { type layoutOf, type ParameterGroup, packed, parameterState, parametersByName } from '../model/parameter-layout.js';
import { flatName, flatSlotName, nextName, parameterStateName, slotStateName } from '../model/value-names.js';
import { HALTED } from './guarded.js';
import { type InPlaceStep, type StateVector, type Step, slotsOf } from './step.js';

/** Every vector of the state of a step: the parameters and the slots of each trained group, then the running statistics. */
export function stateVectors({ trained, running }: ReturnType<typeof layoutOf>, { slots }: Optimizer): StateVector[] {
	const parameters = ({ name, size }: ParameterGroup): StateVector => {
		const input = flatName(name);
		return { name: parameterStateName(name), size, input, output: nextName(input), slot: null };
	};
	const slot = ({ name, size }: ParameterGroup, slot: string): StateVector => {
		const input = flatSlotName(name, slot);
		return { name: slotStateName(name, slot), size, input, output: nextName(input), slot };
	};
	return [...trained.flatMap((group) => [parameters(group), ...slots.map((name) => slot(group, name))]), ...running.map(parameters)];
}

/** Whether a run halted before its end; see guarded.ts. */
export const haltedVector: StateVector = { name: HALTED, size: 1, input: HALTED, output: nextName(HALTED), slot: null };

/** The slots of an optimizer by their names, each with its numbers by the name of the parameter. */
export type SlotValues = ReadonlyMap<string, ReadonlyMap<string, ArrayLike<number>>>;

/** What is not zero in the state that a step begins with: these parameters and running statistics, and these numbers in the slots of the optimizer. */
export function initialState(
	{ trained, running }: Step | InPlaceStep,
	values: ReadonlyMap<string, ArrayLike<number>>,
	slots: SlotValues = new Map(),
): State {
	const ofSlots = [...slots].flatMap(([slot, numbers]) =>
		[...packed(trained, numbers)].map(([group, vector]): [string, Tensor] => [slotStateName(group, slot), vector]),
	);
	return { ...parameterState(packed([...trained, ...running], values)), ...Object.fromEntries(ofSlots) };
}

/** The whole state of a step: zeros where `state` says nothing. */
export const withZeros = ({ state: vectors }: Step, state: State): State => ({
	...Object.fromEntries(vectors.map(({ name, size }) => [name, tensor('float32', [1, size], new Float32Array(size))])),
	...state,
});

/** Parameters and running statistics in the state of a step. */
export const parametersIn = ({ trained, running }: Step | InPlaceStep, state: State): Parameters =>
	new Map([...trained, ...running].map(({ name }) => [name, state[parameterStateName(name)] as Tensor]));

/** The trained parameters in the state of a step, by their own names and in the order of the model. */
export const namedParametersIn = (step: Step | InPlaceStep, state: State): ReadonlyMap<string, Tensor> =>
	parametersByName(step.trained, parametersIn(step, state));

/** The slots of the optimizer in the state of a step, by the names of the parameters. */
export function namedSlotsIn({ state: vectors, trained }: Step | InPlaceStep, state: State): Map<string, Map<string, Tensor>> {
	const ofSlot = (slot: string): Parameters => new Map(trained.map(({ name }) => [name, state[slotStateName(name, slot)] as Tensor]));
	return new Map(slotsOf(vectors).map((slot) => [slot, parametersByName(trained, ofSlot(slot))]));
}
