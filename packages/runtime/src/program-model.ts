import type { ValueInfo } from './session.js';
import type { Tensor } from './tensor.js';

export type State = Readonly<Record<string, Tensor>>;

export type ProgramModel = {
	/** Serialised ONNX. */
	readonly bytes: Uint8Array;
	/** Name of an input that is state → name of the output that is its next value. */
	readonly state: Readonly<Record<string, string>>;
	/** Inputs that are state of another model beside this one, which this one does not change; see `loadOnDevice`. */
	readonly takes?: readonly string[];
	/** Name under which `run` takes an input → name of that input in the model, where the two differ. */
	readonly inputs?: Readonly<Record<string, string>>;
};

/** Throws RangeError for state of another name or shape than a program has; `inputs` are those of its models. */
export function checkState(next: State, names: readonly string[], inputs: readonly ValueInfo[]): void {
	for (const [name, value] of Object.entries(next)) {
		if (!names.includes(name)) throw new RangeError(`"${name}" is not state of this program; its state is ${names.join(', ')}`);
		const expected = inputs.find((input) => input.name === name)?.shape ?? [];
		if (expected.length !== value.shape.length || expected.some((dim, i) => typeof dim === 'number' && dim !== value.shape[i]))
			throw new RangeError(`state "${name}" has shape [${expected}], found [${value.shape}]`);
	}
}

/** Throws RangeError where the state that a program begins with is not all of it. */
export function checkWhole(state: Readonly<Record<string, unknown>>, names: readonly string[]): void {
	const missing = names.filter((name) => !(name in state));
	if (missing.length > 0) throw new RangeError(`state is missing for ${missing.join(', ')}`);
}

/** The inputs of a run under the names that they have in the model. */
export const underModelNames = <T>({ inputs = {} }: ProgramModel, given: Readonly<Record<string, T>>): Record<string, T> =>
	Object.fromEntries(Object.entries(given).map(([name, value]) => [inputs[name] ?? name, value]));
