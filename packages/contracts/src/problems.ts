import { type Static, Type } from 'typebox';
import { nullable } from './nullable.js';

/** Every error that a client can meet, by its stable code: the HTTP status of the answer, and a title that says what the code means. */
export const problems = {
	invalid_request: { status: 400, title: 'The request does not fit its schema' },
	invalid_json: { status: 400, title: 'The body is not valid JSON' },
	unauthorized: { status: 401, title: 'A valid API key is required' },
	forbidden: { status: 403, title: 'The API key may not do this' },
	quota_exceeded: { status: 403, title: 'The project has as much as a project may have' },
	not_found: { status: 404, title: 'No such resource' },
	method_not_allowed: { status: 405, title: 'The resource does not know this method' },
	conflict: { status: 409, title: 'The resource is in a state that forbids this' },
	idempotency_mismatch: { status: 409, title: 'The idempotency key was used with another body' },
	dataset_in_use: { status: 409, title: 'A job still uses this dataset' },
	job_not_ended: { status: 409, title: 'The job has not ended' },
	job_in_use: { status: 409, title: 'A job that has not ended begins with the parameters of this job' },
	job_not_cancellable: { status: 409, title: 'The job has already ended' },
	artifact_not_ready: { status: 409, title: 'The job has not produced this artifact' },
	too_large: { status: 413, title: 'The body is larger than allowed' },
	unsupported_media_type: { status: 415, title: 'The content type is not supported' },
	range_not_satisfiable: { status: 416, title: 'The requested range lies outside the file' },
	invalid_dataset: { status: 422, title: 'The dataset was refused' },
	dataset_too_large: { status: 422, title: 'Reading the dataset takes more time or memory than allowed' },
	dataset_not_found: { status: 422, title: 'The job names a dataset that does not exist' },
	job_not_found: { status: 422, title: 'The job names a job that does not exist' },
	job_not_usable: { status: 422, title: 'The job cannot begin with the parameters of the job that it names' },
	modality_not_found: { status: 422, title: 'The job names a modality that the dataset lacks' },
	unsupported_task: { status: 422, title: 'This is not available for the task of the dataset' },
	job_too_large: { status: 422, title: 'The job would take more than a job may take' },
	model_in_use: { status: 409, title: 'A job still uses this model' },
	model_not_ready: { status: 409, title: 'The model is still being inspected' },
	invalid_model: { status: 422, title: 'The model was refused, or the job does not fit it' },
	model_not_found: { status: 422, title: 'The job names a model that does not exist' },
	device_unavailable: { status: 422, title: 'The requested device is not available' },
	no_worker: { status: 422, title: 'No worker has what the job needs' },
	prediction_too_large: { status: 422, title: 'The prediction would take more than a prediction may take' },
	too_many_requests: { status: 429, title: 'More requests came than are allowed' },
	training_failed: { status: 500, title: 'Training failed' },
	diverged: { status: 500, title: 'Training diverged: the loss is not finite' },
	out_of_memory: { status: 500, title: 'The job needs more memory than it may take' },
	time_limit: { status: 500, title: 'The job takes longer than it may' },
	trainer_crashed: { status: 500, title: 'The trainer process ended unexpectedly' },
	prediction_failed: { status: 500, title: 'The model could not be run over the rows' },
	internal: { status: 500, title: 'An unexpected error' },
	insufficient_storage: { status: 507, title: 'No space is left for the data' },
	unavailable: { status: 503, title: 'A service this needs is not reachable' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problems;

/** An error for the user: a stable code, a message that says what is wrong and what was expected, and the field that is to blame (`param`, a path such as `training.epochs`). */
export class ProblemError extends Error {
	override readonly name = 'ProblemError';
	readonly code: ProblemCode;
	readonly param: string | null;

	constructor(code: ProblemCode, detail: string, param: string | null = null) {
		super(detail);
		this.code = code;
		this.param = param;
	}

	/** The HTTP status of the answer. */
	get status(): number {
		return problems[this.code].status;
	}
}

/** The body of every error answer: RFC 9457 problem details, with our stable `code` and the field that is to blame. */
export const Problem = Type.Object({
	type: Type.String({ description: 'urn:steelyard:problem:<code>' }),
	title: Type.String({ description: 'what the code means' }),
	status: Type.Integer({ description: 'the HTTP status' }),
	detail: Type.String({ description: 'what is wrong here, what was expected and what was found' }),
	code: Type.String({ description: 'stable, for programs' }),
	param: nullable(Type.String({ description: 'the field, parameter or header that is to blame, such as training.epochs' })),
});
export type Problem = Static<typeof Problem>;
