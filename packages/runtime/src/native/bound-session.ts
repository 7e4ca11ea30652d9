import { RuntimeError, saysOutOfMemory, wordsOf } from '../errors.js';
import type { SessionOptions } from '../session.js';
import type { DType, Tensor } from '../tensor.js';
import { type CApi, cApi, type Pointer } from './c-api.js';

/** Element types by their numbers in the C interface (ONNXTensorElementDataType). */
const ELEMENT_TYPES: Partial<Record<DType, number>> = {
	...{ float32: 1, uint8: 2, int8: 3, uint16: 4, int16: 5, int32: 6, int64: 7, bool: 9, float16: 10, float64: 11, uint32: 12, uint64: 13 },
};

/** A loaded model that reads its inputs from, and writes its outputs into, tensors that were bound to it once. */
export type BoundSession = {
	/** Runs on what the inputs hold now; blocks the thread. Throws RuntimeError `run_failed` or `out_of_memory`. */
	run(): void;
	release(): void;
};

/** The tensors that a model works on, by the names of its inputs and outputs; their memory must not move (`placeTensors`). */
export type Bindings = { readonly inputs: Readonly<Record<string, Tensor>>; readonly outputs: Readonly<Record<string, Tensor>> };

function valueOf(api: CApi, memoryInfo: Pointer, { dtype, shape, data }: Tensor): Pointer {
	const type = ELEMENT_TYPES[dtype];
	if (type === undefined) throw new RangeError(`a tensor of ${dtype} cannot be bound`);
	const dims = BigInt64Array.from(shape, BigInt);
	return api.make('CreateTensorWithDataAsOrtValue', memoryInfo, data, data.byteLength, dims, shape.length, type);
}

const failed = (code: 'model_refused' | 'run_failed', error: unknown): RuntimeError => {
	const words = wordsOf(error);
	return new RuntimeError(saysOutOfMemory(words) ? 'out_of_memory' : code, words, error);
};

/**
 * Loads a model on the CPU by ONNX Runtime's C interface and binds tensors to its inputs and outputs, so that a run copies nothing and makes no array. Throws
 * RuntimeError `native_unavailable` where the interface cannot be called here, and else as createSession does.
 */
export async function loadBoundSession(
	bytes: Uint8Array,
	{ inputs, outputs }: Bindings,
	{ threads = 1, planned = true }: Pick<SessionOptions, 'threads' | 'planned'> = {},
): Promise<BoundSession> {
	const api = await cApi();
	const made: Array<() => void> = [];
	/** What `name` makes, released together with the session, in reverse order. */
	const kept = (release: Parameters<CApi['release']>[0], pointer: Pointer): Pointer => {
		made.unshift(() => api.release(release, pointer));
		return pointer;
	};
	const release = (): void => {
		for (const each of made.splice(0)) each();
	};
	try {
		const options = kept('ReleaseSessionOptions', api.make('CreateSessionOptions'));
		api.do('SetSessionGraphOptimizationLevel', options, 0);
		api.do('SetIntraOpNumThreads', options, threads);
		api.do('SetInterOpNumThreads', options, 1);
		api.do('SetSessionLogSeverityLevel', options, 4);
		api.do(planned ? 'EnableMemPattern' : 'DisableMemPattern', options);
		const session = kept('ReleaseSession', api.make('CreateSessionFromArray', api.env, bytes, bytes.byteLength, options));
		const [device, defaultMemory] = [0, 0];
		const memoryInfo = kept('ReleaseMemoryInfo', api.make('CreateCpuMemoryInfo', device, defaultMemory));
		const binding = kept('ReleaseIoBinding', api.make('CreateIoBinding', session));
		const bind = (how: 'BindInput' | 'BindOutput', [name, tensor]: [string, Tensor]): void => {
			const value = kept('ReleaseValue', valueOf(api, memoryInfo, tensor));
			api.do(how, binding, name, value);
		};
		for (const input of Object.entries(inputs)) bind('BindInput', input);
		for (const output of Object.entries(outputs)) bind('BindOutput', output);
		return {
			run() {
				try {
					api.do('RunWithBinding', session, null, binding);
				} catch (error) {
					throw failed('run_failed', error);
				}
			},
			release,
		};
	} catch (error) {
		release();
		throw failed('model_refused', error);
	}
}
