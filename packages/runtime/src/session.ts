import { env, InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { RuntimeError, type RuntimeErrorCode, saysOutOfMemory, wordsOf } from './errors.js';
import type { DType, StringTensor, Tensor, TensorData } from './tensor.js';

// ONNX Runtime reports an error twice, on stderr and in what it throws; the second is enough.
env.logLevel = 'fatal';

export type Provider = 'cpu' | 'cuda' | 'webgpu';

export type SessionOptions = {
	/** Default `cpu`. */
	provider?: Provider;
	/** Threads within an operator, default 1. Results are equal to the bit only for equal counts. */
	threads?: number;
	/** ORT's graph optimisation. Default `disabled`: our own graphs gain nothing from it and load four times as fast. */
	optimisation?: 'disabled' | 'basic' | 'all';
	/** Whether memory is laid out for the whole of a run, after the first; true unless given. Faster, but it holds the memory of the first run as well. */
	planned?: boolean;
	/** The path to which ONNX Runtime writes the optimised model. */
	optimisedModelPath?: string;
	/** Refuses, as `no_kernel`, a model of which the provider has no kernel for a node; such a node runs on the CPU unless given. */
	wholly?: boolean;
	/** What ONNX Runtime logs: 0 everything (and the provider of every node), 2 warnings, 3 errors, 4 (default) nothing that it does not also throw. */
	logSeverity?: 0 | 1 | 2 | 3 | 4;
};

/** A value that a session takes or gives; a string in `shape` is a symbolic dimension. */
export type ValueInfo = { readonly name: string; readonly dtype: DType; readonly shape: ReadonlyArray<number | string> };

/** A loaded model. */
export type Session = {
	readonly inputs: readonly ValueInfo[];
	readonly outputs: readonly ValueInfo[];
	/**
	 * Gives the named outputs (all unless given) for feeds by the names of inputs, as new arrays. Reads inputs in place and blocks the thread.
	 */
	run(feeds: Readonly<Record<string, Tensor | StringTensor>>, fetches?: readonly string[]): Promise<Record<string, Tensor>>;
	release(): Promise<void>;
};

/** A tensor of ours in ONNX Runtime's form; the same array. */
export const ortTensor = ({ dtype, data, shape }: Tensor | StringTensor): OrtTensor =>
	new OrtTensor(dtype as 'float32', data as unknown as Float32Array, shape);
/** A tensor that ONNX Runtime has given to the host. */
export const hostTensor = ({ type, dims, data }: OrtTensor): Tensor => ({ dtype: type as DType, shape: dims, data: data as TensorData });

const ortTensors = (tensors: Readonly<Record<string, Tensor | StringTensor>>): Record<string, OrtTensor> =>
	Object.fromEntries(Object.entries(tensors).map(([name, value]) => [name, ortTensor(value)]));

export const valueInfos = (metadata: readonly InferenceSession.ValueMetadata[]): ValueInfo[] =>
	metadata.flatMap((value) => (value.isTensor ? [{ name: value.name, dtype: value.type as DType, shape: value.shape }] : []));

/** What an error of loading says: that the device is not there, that it lacks a kernel or memory, or that the model is wrong. */
function codeOf(words: string, provider: Provider): RuntimeErrorCode {
	if (saysOutOfMemory(words)) return 'out_of_memory';
	if (/fallback to CPU EP has been explicitly disabled/.test(words)) return 'no_kernel';
	if (provider === 'cuda' && /cuda|backend not found|execution provider/i.test(words)) return 'device_unavailable';
	if (provider === 'webgpu' && /webgpu (adapter|device)|is unsupported: 'webgpu'|backend not found/i.test(words))
		return 'device_unavailable';
	return 'model_refused';
}

/** Loads a model with ONNX Runtime. Throws as createSession does. */
export async function openOrtSession(
	model: Uint8Array | string,
	options: SessionOptions,
	more: InferenceSession.SessionOptions = {},
): Promise<InferenceSession> {
	const provider = options.provider ?? 'cpu';
	const ortOptions: InferenceSession.SessionOptions = {
		executionProviders: [provider === 'cuda' ? { name: 'cuda', deviceId: 0 } : provider],
		intraOpNumThreads: options.threads ?? 1,
		interOpNumThreads: 1,
		executionMode: 'sequential',
		graphOptimizationLevel: options.optimisation ?? 'disabled',
		enableMemPattern: options.planned ?? true,
		logSeverityLevel: options.logSeverity ?? 4,
		...(options.wholly ? { extra: { session: { disable_cpu_ep_fallback: '1' } } } : {}),
		...(options.optimisedModelPath === undefined ? {} : { optimizedModelFilePath: options.optimisedModelPath }),
		...more,
	};
	try {
		return await InferenceSession.create(model as string, ortOptions); // takes bytes as well
	} catch (error) {
		const words = wordsOf(error);
		throw new RuntimeError(codeOf(words, provider), words, error);
	}
}

/** The error of a run. */
export function runError(error: unknown): RuntimeError {
	const words = wordsOf(error);
	return new RuntimeError(saysOutOfMemory(words) ? 'out_of_memory' : 'run_failed', words, error);
}

/** Loads a model from serialised ONNX bytes or from a path. Throws RuntimeError `model_refused`, `no_kernel`, `out_of_memory` or `device_unavailable` with the words of ONNX Runtime. */
export async function createSession(model: Uint8Array | string, options: SessionOptions = {}): Promise<Session> {
	const session = await openOrtSession(model, options);
	return {
		inputs: valueInfos(session.inputMetadata),
		outputs: valueInfos(session.outputMetadata),
		async run(feeds, fetches) {
			try {
				const given = ortTensors(feeds);
				const results = await (fetches === undefined ? session.run(given) : session.run(given, fetches));
				return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, hostTensor(value)]));
			} catch (error) {
				throw runError(error);
			}
		},
		release: () => session.release(),
	};
}
