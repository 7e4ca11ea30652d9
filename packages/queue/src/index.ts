export { newJob, type Origin } from './new-job.js';
export { openQueue, type QueueOptions } from './open-queue.js';
export {
	type Attempt,
	type AttemptEnd,
	AttemptStopped,
	type ChangeAt,
	type Changes,
	type Events,
	type InspectionOptions,
	type Inspections,
	type JobPatch,
	type Jobs,
	type Notice,
	type NoticeOptions,
	type Notices,
	type Outcome,
	type PredictionOrder,
	type Predictions,
	type Queue,
	StaleAttemptError,
	type StopReason,
	type Sweeps,
	type Tallies,
	type Work,
	type Workers,
	type WorkOptions,
} from './queue.js';
export { mayPass } from './work.js';
