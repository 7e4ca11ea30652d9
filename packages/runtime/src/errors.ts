export type RuntimeErrorCode = 'device_unavailable' | 'model_refused' | 'run_failed';

/** ONNX Runtime could not load or run a model. The message is its own, and `cause` its error. */
export class RuntimeError extends Error {
	override readonly name = 'RuntimeError';
	readonly code: RuntimeErrorCode;

	constructor(code: RuntimeErrorCode, message: string, cause?: unknown) {
		super(message, { cause });
		this.code = code;
	}
}

/** The runtime's own words, without the noise of its source positions. */
export const wordsOf = (error: unknown): string =>
	(error instanceof Error ? error.message : String(error)).replace(/\s*\/onnxruntime_src\/\S+:\d+\s*/g, ' ').trim();
