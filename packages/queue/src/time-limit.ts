import type { JobError, JobResource } from '@steelyard/contracts';

/** The longest time that a timer of Node can wait, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The time that an attempt takes, and what is left to it. */
export type Clock = {
	/** Seconds since it began. */
	seconds(): number;
	/** Why the job fails when it has run as long as it may. */
	over(): JobError;
	/** Ends the watching. */
	stop(): void;
};

/**
 * Watches an attempt that begins now, and calls `isOver` once all attempts of its job together have run for as long as they may: for the `max_seconds` of its
 * spec or for `most` seconds, whichever is less.
 */
export function startClock({ spec, ran_seconds: ran = 0 }: JobResource, most: number, isOver: () => void): Clock {
	const begun = performance.now();
	const own = spec.max_seconds ?? Number.POSITIVE_INFINITY;
	const limit = Math.min(own, most);
	const seconds = () => (performance.now() - begun) / 1000;
	let timer: NodeJS.Timeout | undefined;
	const look = () => {
		const left = (limit - ran - seconds()) * 1000;
		if (left <= 0) isOver();
		else if (left < Number.POSITIVE_INFINITY) timer = setTimeout(look, Math.min(Math.ceil(left), LONGEST_TIMER));
	};
	look();
	return {
		seconds,
		over: () => ({
			code: 'time_limit',
			message: `The job ran for ${Math.round(ran + seconds())} s, and may run for ${limit} s`,
			param: own <= most ? 'max_seconds' : null,
		}),
		stop: () => clearTimeout(timer),
	};
}
