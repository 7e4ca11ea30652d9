/** Every error that a client can meet: its stable code, HTTP status and title (RFC 9457 `type` is `urn:steelyard:problem:<code>`). */
export const problems = {
	invalid_request: { status: 400, title: 'The request does not fit its schema' },
	invalid_json: { status: 400, title: 'The body is not valid JSON' },
	unauthorized: { status: 401, title: 'A valid API key is required' },
	not_found: { status: 404, title: 'No such resource' },
	method_not_allowed: { status: 405, title: 'The resource does not know this method' },
	conflict: { status: 409, title: 'The resource is in a state that forbids this' },
	idempotency_mismatch: { status: 409, title: 'The idempotency key was used with another body' },
	dataset_in_use: { status: 409, title: 'A job still uses this dataset' },
	job_not_cancellable: { status: 409, title: 'The job has already ended' },
	artifact_not_ready: { status: 409, title: 'The job has not produced this artifact' },
	too_large: { status: 413, title: 'The body is larger than allowed' },
	unsupported_media_type: { status: 415, title: 'The content type is not supported' },
	range_not_satisfiable: { status: 416, title: 'The requested range lies outside the file' },
	invalid_dataset: { status: 422, title: 'The dataset was refused' },
	dataset_not_found: { status: 422, title: 'The job names a dataset that does not exist' },
	modality_not_found: { status: 422, title: 'The job names a modality that the dataset lacks' },
	unsupported_task: { status: 422, title: 'This is not available for the task of the dataset' },
	model_in_use: { status: 409, title: 'A job still uses this model' },
	model_not_ready: { status: 409, title: 'The model is still being inspected' },
	invalid_model: { status: 422, title: 'The model was refused, or the job does not fit it' },
	model_not_found: { status: 422, title: 'The job names a model that does not exist' },
	device_unavailable: { status: 422, title: 'The requested device is not available' },
	training_failed: { status: 500, title: 'Training failed' },
	diverged: { status: 500, title: 'Training diverged: the loss is not finite' },
	trainer_crashed: { status: 500, title: 'The trainer process ended unexpectedly' },
	internal: { status: 500, title: 'An unexpected error' },
	insufficient_storage: { status: 507, title: 'No space is left for the data' },
	unavailable: { status: 503, title: 'A service this needs is not reachable' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problems;

/** An error with a stable code, for the user: what is wrong, where (`param`, a field path such as `training.epochs`), what was expected. */
export class ProblemError extends Error {
	override readonly name = 'ProblemError';
	readonly code: ProblemCode;
	readonly param: string | null;

	constructor(code: ProblemCode, detail: string, param: string | null = null) {
		super(detail);
		this.code = code;
		this.param = param;
	}

	get status(): number {
		return problems[this.code].status;
	}
}
