import type { Notified } from '@steelyard/contracts';
import { count, moment } from '../format.js';

/** How far the notice of the end of a job has come: `delivered 14:03`, or how often it was tried, whether it is tried again, and why the last try failed. */
export function noticeText({ state, attempts, last_attempt_at, next_attempt_at, error }: Notified): string {
	const tries = count(attempts, 'try', 'tries');
	if (state === 'delivered') return `delivered ${moment(last_attempt_at)}${attempts > 1 ? ` after ${tries}` : ''}`;
	const why = error === null ? '' : `: ${error}`;
	return state === 'pending'
		? `not delivered after ${tries}, the next is due ${moment(next_attempt_at)}${why}`
		: `given up ${moment(last_attempt_at)} after ${tries}${why}`;
}
