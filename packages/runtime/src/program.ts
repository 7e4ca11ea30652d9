import { loadOnDevice } from './on-device.js';
import { checkState, checkWhole, type ProgramModel, type State, underModelNames } from './program-model.js';
import { createSession, type SessionOptions } from './session.js';
import type { Tensor } from './tensor.js';

/**
 * A model with state that outlives a run: parameters and optimizer state go in, come out changed and go in again. This is the one interface through which training
 * sees the runtime; how the steps of a chunk are repeated is the model's business (a Scan inside it) or that of another implementation.
 */
export type Program = {
	/** Runs one chunk on `inputs` (everything but the state) and gives every output that is not state. */
	run(inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
	/** The current state by input name, on the host. */
	state(): Promise<State>;
	/** Replaces some or all of the state. Throws RangeError for a name that is not state or a shape that does not fit. */
	setState(state: State): void;
	dispose(): Promise<void>;
};

/** Loads a program; `state` must name every state input. On WebGPU the state stays on the device. Throws RuntimeError as createSession does. */
export async function loadProgram(model: ProgramModel, state: State, options: SessionOptions = {}): Promise<Program> {
	if (options.provider === 'webgpu') {
		const { run, ...rest } = await loadOnDevice({ only: model }, state, options);
		return { ...rest, run: (inputs) => run('only', inputs) };
	}
	const session = await createSession(model.bytes, options);
	const names = Object.keys(model.state);
	let current: Record<string, Tensor> = {};
	const setState = (next: State): void => {
		checkState(next, names, session.inputs);
		current = { ...current, ...next };
	};
	setState(state);
	checkWhole(current, names);
	return {
		async run(inputs) {
			const outputs = await session.run({ ...current, ...underModelNames(model, inputs) });
			const next: Record<string, Tensor> = {};
			for (const name of names) {
				const output = model.state[name] as string;
				next[name] = outputs[output] as Tensor;
				delete outputs[output];
			}
			current = next;
			return outputs;
		},
		state: async () => current,
		setState,
		dispose: () => session.release(),
	};
}
