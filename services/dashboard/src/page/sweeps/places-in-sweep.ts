import { placesOf } from '../new-job/param.js';

/**
 * Where the field stands that an error of a sweep names, best first. What is wrong with the job of a trial names a field of that job: it is the dimension of that
 * field, or the field of the job that all trials share.
 */
export function placesInSweep(param: string | null): string[] {
	const own = placesOf(param);
	const [exact] = own;
	return exact === undefined ? [] : [exact, `space.${exact}`, `job.${exact}`, ...own.slice(1)];
}
