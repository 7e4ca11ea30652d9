export { RedisStartError } from './embedded-redis.js';
export { RedisUnsuitableError } from './given-redis.js';
export { type LaunchOptions, launchRedis, type RedisHandle, type RedisKind } from './launch-redis.js';
export { type HomeLock, HomeLockedError, lockHome } from './lock-home.js';
export type { Log } from './log.js';
export { openQueue, type QueueOptions } from './open-queue.js';
export {
	type Attempt,
	type AttemptEnd,
	AttemptStopped,
	type Events,
	type InspectionOptions,
	type Inspections,
	type JobPatch,
	type Jobs,
	type Outcome,
	type Queue,
	StaleAttemptError,
	type StopReason,
	type Work,
	type Workers,
	type WorkOptions,
} from './queue.js';
