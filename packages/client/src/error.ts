import type { Problem, ProblemCode } from '@steelyard/contracts';

/** `unreachable`: no answer came (status 0). `unexpected_answer`: something answered that does not speak this API, such as a proxy. */
export type ErrorCode = ProblemCode | 'unreachable' | 'unexpected_answer';

/** Any request that did not succeed. `code` is stable; `param` names the offending field; `status` is the HTTP status, 0 where none came. */
export class SteelyardError extends Error {
	override readonly name = 'SteelyardError';
	readonly code: ErrorCode;
	readonly param: string | null;
	readonly status: number;

	constructor(code: ErrorCode, message: string, status: number, param: string | null = null, options?: ErrorOptions) {
		super(message, options);
		this.code = code;
		this.param = param;
		this.status = status;
	}
}

const isProblem = (value: unknown): value is Problem =>
	typeof value === 'object' &&
	value !== null &&
	typeof (value as Problem).code === 'string' &&
	typeof (value as Problem).detail === 'string';

/** The error that an answer other than success stands for; reads its body. */
export async function errorOf(response: Response): Promise<SteelyardError> {
	const text = await response.text().catch(() => '');
	if (response.headers.get('content-type')?.startsWith('application/problem+json')) {
		try {
			const problem: unknown = JSON.parse(text);
			if (isProblem(problem)) return new SteelyardError(problem.code as ErrorCode, problem.detail, response.status, problem.param ?? null);
		} catch {
			// Not the JSON that its content type promises: told below, with what came.
		}
	}
	return new SteelyardError(
		'unexpected_answer',
		`${response.url || 'The server'} answered ${response.status} ${response.statusText} that is not of this API: ${text.slice(0, 200)}`,
		response.status,
	);
}
