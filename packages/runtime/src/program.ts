import { createSession, type SessionOptions } from './session.js';
import type { Tensor } from './tensor.js';

export type State = Readonly<Record<string, Tensor>>;

export type ProgramModel = {
	/** Serialised ONNX. */
	readonly bytes: Uint8Array;
	/** Name of an input that is state → name of the output that is its next value. */
	readonly state: Readonly<Record<string, string>>;
	/** Name under which `run` takes an input → name of that input in the model, where the two differ. */
	readonly inputs?: Readonly<Record<string, string>>;
};

/**
 * A model with state that outlives a run: parameters and optimizer state go in, come out changed and go in again. This is the one interface through which training
 * sees the runtime; how the steps of a chunk are repeated is the model's business (a Scan inside it) or that of another implementation.
 */
export type Program = {
	/** Runs one chunk on `inputs` (everything but the state) and gives every output that is not state. */
	run(inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
	/** The current state by input name. */
	state(): State;
	/** Replaces some or all of the state. Throws RangeError for a name that is not state or a shape that does not fit. */
	setState(state: State): void;
	dispose(): Promise<void>;
};

/** Loads a program; `state` must name every state input. Throws RuntimeError as createSession does. */
export async function loadProgram(model: ProgramModel, state: State, options: SessionOptions = {}): Promise<Program> {
	const session = await createSession(model.bytes, options);
	const names = Object.keys(model.state);
	let current: Record<string, Tensor> = {};

	const setState = (next: State): void => {
		for (const [name, value] of Object.entries(next)) {
			if (!Object.hasOwn(model.state, name))
				throw new RangeError(`"${name}" is not state of this program; its state is ${names.join(', ')}`);
			const expected = session.inputs.find((input) => input.name === name)?.shape ?? [];
			if (expected.length !== value.shape.length || expected.some((dim, i) => typeof dim === 'number' && dim !== value.shape[i]))
				throw new RangeError(`state "${name}" has shape [${expected}], found [${value.shape}]`);
		}
		current = { ...current, ...next };
	};

	setState(state);
	const missing = names.filter((name) => !(name in current));
	if (missing.length > 0) throw new RangeError(`state is missing for ${missing.join(', ')}`);

	return {
		async run(inputs) {
			const named = Object.entries(inputs).map(([name, value]) => [model.inputs?.[name] ?? name, value]);
			const outputs = await session.run({ ...current, ...Object.fromEntries(named) });
			const next: Record<string, Tensor> = {};
			for (const name of names) {
				const output = model.state[name] as string;
				next[name] = outputs[output] as Tensor;
				delete outputs[output];
			}
			current = next;
			return outputs;
		},
		state: () => current,
		setState,
		dispose: () => session.release(),
	};
}
