import { counterRandom } from '@steelyard/random';

/** Every fault, with what it does. */
export const FAULTS = {
	'kill the trainer': 'SIGKILL to the trainers of a worker',
	'kill a worker': 'SIGKILL to a worker, which is started again',
	'kill the API': 'SIGKILL to the API, which is started again',
	'kill Redis': 'SIGKILL to Redis, which is started again',
	'kill everything': 'SIGKILL to Redis, the API and both workers at once',
	'freeze a worker': 'SIGSTOP to a worker until its lock has run out and its job has gone to another, then SIGCONT',
	'end a worker': 'SIGTERM to a worker, which hands its job back, and is started again',
	'empty Redis': 'FLUSHALL',
	'post twice': 'a job posted three times at once under one idempotency key',
	'post again': 'a job posted again later under its idempotency key',
	pause: 'a job paused',
	resume: 'a job resumed, whatever it is doing',
	cancel: 'a job cancelled',
	'cancel at the end': 'a job cancelled once it is judged or has all but ended',
};

/** Faults that can set a job back. The fourth setback of a job without progress fails it rightly, so a schedule has at most three. */
const SETBACKS = new Set(['kill the trainer', 'kill a worker', 'kill Redis', 'kill everything', 'freeze a worker']);
const LARGEST_SETBACKS = 3;
const JOBS = 3;
/** Longest pause before a step, in milliseconds. */
const LONGEST_PAUSE = 2000;

/**
 * The schedule of a seed: `redis`, whether the program or the one in JavaScript; `steps`, each with the milliseconds before it, its `fault` or `post`, and the
 * numbers of the job (0 to 2), of its spec and of the worker (0 or 1) that it concerns.
 */
export function scheduleOf(/** @type {number} */ seed, /** @type {number} */ specs) {
	const random = counterRandom(seed, 'faults');
	const names = Object.keys(FAULTS);
	const steps = [];
	let posted = 0;
	let setbacks = 0;
	const step = (/** @type {string} */ fault, job = random.below(posted)) => {
		steps.push({ afterMs: random.below(LONGEST_PAUSE), fault, job, spec: job % specs, worker: random.below(2) });
	};
	const length = 6 + random.below(5);
	while (steps.length < length || posted < JOBS) {
		if (posted === 0 || (posted < JOBS && random.uniform() < 0.4)) {
			step('post', posted++);
			continue;
		}
		const fault = /** @type {string} */ (names[random.below(names.length)]);
		if (fault === 'post twice') {
			if (posted < JOBS) step(fault, posted++);
			continue;
		}
		if (SETBACKS.has(fault) && ++setbacks > LARGEST_SETBACKS) continue;
		step(fault);
	}
	return { seed, redis: random.uniform() < 0.25 ? 'javascript' : 'binary', steps };
}
