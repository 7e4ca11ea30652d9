import type { Problem, ProblemCode } from '@steelyard/contracts';

/** The codes of the service, and two of the client. `unreachable`: no answer came. `unexpected_answer`: the answer is not one of this API, but for example of a proxy. */
export type ErrorCode = ProblemCode | 'unreachable' | 'unexpected_answer';

/** A request that did not succeed. `code` is stable; `param` names the field that is to blame; `status` is the HTTP status, or 0 if no answer came. */
export class SteelyardError extends Error {
	override readonly name = 'SteelyardError';
	readonly code: ErrorCode;
	readonly param: string | null;
	readonly status: number;
	/** After how many milliseconds the service asks to come again; null where it does not say. */
	readonly retryAfter: number | null;

	constructor(
		code: ErrorCode,
		message: string,
		status: number,
		param: string | null = null,
		{ retryAfter = null, ...options }: ErrorOptions & { retryAfter?: number | null } = {},
	) {
		super(message, options);
		this.code = code;
		this.param = param;
		this.status = status;
		this.retryAfter = retryAfter;
	}
}

const isProblem = (value: unknown): value is Problem =>
	typeof value === 'object' &&
	value !== null &&
	typeof (value as Problem).code === 'string' &&
	typeof (value as Problem).detail === 'string';

/** Milliseconds that a `Retry-After` asks for, which is a number of seconds or a date; null where it says nothing. */
function retryAfter(header: string | null): number | null {
	if (header === null || header.trim() === '') return null;
	const milliseconds = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
	return Number.isNaN(milliseconds) ? null : Math.max(0, milliseconds);
}

/** Reads the body of an answer that is not a success, and makes the error of it. */
export async function errorOf(response: Response): Promise<SteelyardError> {
	const text = await response.text().catch(() => '');
	const later = { retryAfter: retryAfter(response.headers.get('retry-after')) };
	if (response.headers.get('content-type')?.startsWith('application/problem+json')) {
		try {
			const problem: unknown = JSON.parse(text);
			if (isProblem(problem))
				return new SteelyardError(problem.code as ErrorCode, problem.detail, response.status, problem.param ?? null, later);
		} catch {
			// The body is not the JSON that its content type promises. The error below shows what came.
		}
	}
	return new SteelyardError(
		'unexpected_answer',
		`${response.url || 'The server'} answered ${response.status} ${response.statusText} that is not of this API: ${text.slice(0, 200)}`,
		response.status,
		null,
		later,
	);
}
