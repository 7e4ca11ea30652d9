import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { checkState, checkWhole, type ProgramModel, type State, underModelNames } from './program-model.js';
import { hostTensor, openOrtSession, ortTensor, runError, type SessionOptions, valueInfos } from './session.js';
import type { DType, Tensor } from './tensor.js';

/**
 * Several models over one state that stays on the device between runs: what one of them gives as the next value of a part of the state, the next run of any takes
 * without a copy. Each model has some of the state, or all of it. State that the host sets goes to the device with the next run that takes it.
 */
export type OnDevice<Name extends string> = {
	/** Runs a model on `inputs` (everything but the state) and gives every output of it that is not state, on the host. */
	run(model: Name, inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
	/** The current state by input name, all of it or that of the given names, on the host. */
	state(names?: readonly string[]): Promise<State>;
	/** As of `Program`. */
	setState(state: State): void;
	dispose(): Promise<void>;
};

// y = x for x of any shape, opset 18: the bytes of a ModelProto, so that this package needs no encoder
const COPYING = 'CAg6KwoQCgF4EgF5IghJZGVudGl0eRIBZ1oJCgF4EgQKAggBYgkKAXkSBAoCCAFCBAoAEBI=';
/** Where the element types of x and y stand in it, and what they are called in ONNX. */
const TYPES_AT = [35, 46];
const TYPE_NUMBERS: Readonly<Record<DType, number>> = {
	...{ float32: 1, uint8: 2, int8: 3, uint16: 4, int16: 5, int32: 6, int64: 7, string: 8, bool: 9, float16: 10, float64: 11, uint32: 12 },
	uint64: 13,
	bfloat16: 16,
};

/** Copies tensors from the device to the host, by a graph that gives what it takes: asked for its data itself, a tensor of the device ends the process. */
function openReader(options: SessionOptions) {
	const sessions = new Map<DType, InferenceSession>();
	return {
		async read(value: OrtTensor): Promise<Tensor> {
			const dtype = value.type as DType;
			const model = Uint8Array.from(Buffer.from(COPYING, 'base64'));
			for (const at of TYPES_AT) model[at] = TYPE_NUMBERS[dtype];
			const session = sessions.get(dtype) ?? (await openOrtSession(model, { ...options, wholly: false }));
			sessions.set(dtype, session);
			return hostTensor((await session.run({ x: value }))['y'] as OrtTensor);
		},
		async release(): Promise<void> {
			for (const session of sessions.values()) await session.release();
		},
	};
}

const isOnDevice = (value: OrtTensor): boolean => value.location === 'gpu-buffer';

/** Loads models on WebGPU, the one provider whose tensors the binding can leave on the device. `state` must name all state of all of them. Throws RuntimeError as createSession does. */
export async function loadOnDevice<Name extends string>(
	models: Readonly<Record<Name, ProgramModel>>,
	state: State,
	options: SessionOptions = {},
): Promise<OnDevice<Name>> {
	const ours: SessionOptions = { ...options, provider: 'webgpu' };
	const reader = openReader(ours);
	const sessions = new Map<Name, InferenceSession>();
	const release = async (): Promise<void> => {
		for (const session of sessions.values()) await session.release();
		await reader.release();
	};
	const all = Object.entries(models) as [Name, ProgramModel][];
	const names = [...new Set(all.flatMap(([, model]) => Object.keys(model.state)))];
	const current = new Map<string, OrtTensor>();
	/** Puts values in the place of others, whose memory on the device is given back. */
	const put = (values: Iterable<readonly [string, OrtTensor]>): void => {
		for (const [name, value] of values) {
			const before = current.get(name);
			current.set(name, value);
			if (before !== undefined && isOnDevice(before)) before.dispose();
		}
	};
	const setState = (next: State): void => {
		checkState(
			next,
			names,
			[...sessions.values()].flatMap(({ inputMetadata }) => valueInfos(inputMetadata)),
		);
		put(Object.entries(next).map(([name, value]) => [name, ortTensor(value)]));
	};
	try {
		for (const [name, model] of all) {
			const kept = Object.values(model.state).map((output) => [output, 'gpu-buffer' as const]);
			sessions.set(name, await openOrtSession(model.bytes, ours, { preferredOutputLocation: Object.fromEntries(kept) }));
		}
		setState(state);
		checkWhole(state, names);
	} catch (error) {
		await release();
		throw error;
	}

	return {
		async run(name, inputs) {
			const model = models[name];
			const given = Object.entries(underModelNames(model, inputs)).map(([input, value]) => [input, ortTensor(value)]);
			const taken = [...Object.keys(model.state), ...(model.takes ?? [])].map((input) => [input, current.get(input) as OrtTensor]);
			try {
				const outputs = { ...(await (sessions.get(name) as InferenceSession).run(Object.fromEntries([...taken, ...given]))) };
				put(Object.entries(model.state).map(([input, output]) => [input, outputs[output] as OrtTensor]));
				for (const output of Object.values(model.state)) delete outputs[output];
				return Object.fromEntries(Object.entries(outputs).map(([output, value]) => [output, hostTensor(value)]));
			} catch (error) {
				throw runError(error);
			}
		},
		async state(wanted = names) {
			const found: Record<string, Tensor> = {};
			for (const name of wanted) {
				const value = current.get(name) as OrtTensor;
				found[name] = isOnDevice(value) ? await reader.read(value) : hostTensor(value);
			}
			return found;
		},
		setState,
		async dispose() {
			for (const value of current.values()) if (isOnDevice(value)) value.dispose();
			current.clear();
			await release();
		},
	};
}
