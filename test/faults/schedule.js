import { counterRandom } from '@steelyard/random';

/** Every fault, with what it does. */
export const FAULTS = {
	'kill the trainer': 'SIGKILL to the trainers of a worker',
	'kill a worker': 'SIGKILL to a worker, which is started again',
	'kill the API': 'SIGKILL to the API, which is started again',
	'kill Redis': 'SIGKILL to Redis, which is started again',
	'kill the service': 'SIGKILL to `steelyard serve`, the parent of all, which is started again',
	'kill everything': 'SIGKILL to Redis, the API, the workers and their parent at once',
	'freeze a worker': 'SIGSTOP to a worker until its lock has run out and its job has gone to another, then SIGCONT',
	'end a worker': 'SIGTERM to a worker, which hands its job back, and is started again',
	'empty Redis': 'FLUSHALL',
	'cut Redis off': 'every connection to Redis cut, and none taken, for up to six seconds',
	'stall the network': 'nothing carried to or from Redis for up to six seconds, and then all of it',
	'lose the network': 'what is sent to and from Redis lost for up to six seconds; connections of that time stay open, and dead',
	'load Redis': 'Redis says for up to six seconds that it still loads (LOADING)',
	'read-only Redis': 'Redis is a replica without a primary for up to six seconds (READONLY)',
	'full Redis': 'Redis has no memory left for up to six seconds (OOM)',
	'unsaved Redis': 'Redis cannot save for up to six seconds, and refuses writes (MISCONF)',
	'fill the disk': 'no room on the disk for up to six seconds',
	'set the clock': 'the clock of all processes but that of the server program set an hour forward, or back',
	'post twice': 'a job posted three times at once under one idempotency key',
	'post again': 'a job posted again later under its idempotency key',
	pause: 'a job paused',
	resume: 'a job resumed, whatever it is doing',
	cancel: 'a job cancelled',
	'cancel at the end': 'a job cancelled once it is judged or has all but ended',
};

/** Faults that can set a job back. The fourth setback of a job without progress fails it rightly, so a schedule has at most three. */
const SETBACKS = new Set([
	...['kill the trainer', 'kill a worker', 'kill Redis', 'kill the service', 'kill everything', 'freeze a worker'],
	...['cut Redis off', 'stall the network', 'lose the network', 'load Redis', 'read-only Redis', 'full Redis', 'unsaved Redis'],
]);
/** Faults that only the server program can be made to have. */
const OF_PROGRAM = new Set(['read-only Redis', 'full Redis', 'unsaved Redis']);
/** Faults of what stands between Redis and the rest, and that of the parent of all. */
const OF_PROXY = new Set(['cut Redis off', 'stall the network', 'lose the network', 'load Redis']);
const OF_PARENT = 'kill the service';
const LARGEST_SETBACKS = 3;
const JOBS = 3;
/** Longest pause before a step, in milliseconds. */
const LONGEST_PAUSE = 2000;
/** Longest fault that ends by itself, in milliseconds. */
const LONGEST_FAULT = 6000;

/**
 * The schedule of a seed: `redis`, whether the program or the one in JavaScript; `served`, whether the parts are those of `steelyard serve`; `steps`, each with the milliseconds before it (`afterMs`), its `fault` or `post`, the
 * milliseconds that a fault takes which ends by itself (`forMs`), and the numbers of the job (0 to 2), of its spec and of the worker (0 or 1) that it concerns.
 * `impossible`: the faults that this machine cannot have.
 */
export function scheduleOf(/** @type {number} */ seed, /** @type {number} */ specs, /** @type {string[]} */ impossible = []) {
	const random = counterRandom(seed, 'faults');
	const redis = random.uniform() < 0.25 ? 'javascript' : 'binary';
	const served = random.uniform() < 0.25;
	const names = Object.keys(FAULTS).filter(
		(fault) =>
			!impossible.includes(fault) &&
			(redis === 'binary' || !OF_PROGRAM.has(fault)) &&
			(served ? !OF_PROXY.has(fault) : fault !== OF_PARENT),
	);
	const steps = [];
	let posted = 0;
	let setbacks = 0;
	const step = (/** @type {string} */ fault, job = random.below(posted)) => {
		const times = { afterMs: random.below(LONGEST_PAUSE), forMs: random.below(LONGEST_FAULT) };
		steps.push({ ...times, fault, job, spec: job % specs, worker: random.below(2) });
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
	return { seed, redis, served, steps };
}
