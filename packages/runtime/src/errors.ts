export type RuntimeErrorCode = 'device_unavailable' | 'no_kernel' | 'model_refused' | 'run_failed' | 'out_of_memory' | 'native_unavailable';

/** ONNX Runtime could not load or run a model. The message is its own, and `cause` its error. */
export class RuntimeError extends Error {
	override readonly name = 'RuntimeError';
	readonly code: RuntimeErrorCode;

	constructor(code: RuntimeErrorCode, message: string, cause?: unknown) {
		super(message, { cause });
		this.code = code;
	}
}

/** Whether the runtime says that it could not have the memory that it asked for, which says nothing of the model. */
export const saysOutOfMemory = (words: string): boolean => /failed to allocate memory|bad_alloc|bad allocation/i.test(words);

/** The runtime's own words, without the noise of its source positions. */
export const wordsOf = (error: unknown): string =>
	(error instanceof Error ? error.message : String(error)).replace(/\s*\/onnxruntime_src\/\S+:\d+\s*/g, ' ').trim();
