import { ProblemError } from '@steelyard/contracts';
import { GraphError } from '@steelyard/onnx';
import { RuntimeError } from '@steelyard/runtime';

/** What stands against training an uploaded graph as a problem of the user's model; other errors stay what they are. */
export function mendable(error: unknown): unknown {
	if (error instanceof GraphError) return new ProblemError('invalid_model', error.message, 'model.model');
	if (error instanceof RuntimeError && error.code === 'model_refused')
		return new ProblemError('invalid_model', error.message, 'model.model');
	if (error instanceof RuntimeError && error.code === 'run_failed')
		return new ProblemError('training_failed', error.message, 'model.model');
	return error;
}
