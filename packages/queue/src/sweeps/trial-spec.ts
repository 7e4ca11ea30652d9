import { type JobRequest, type JobSpec, type Json, parseJobSpec, type SweepSpec } from '@steelyard/contracts';
import type { Assignment, Decision, Start } from '@steelyard/search';

type Fields = { [name: string]: unknown };

/** Sets the field of an object that a path leads to. Objects that are missing on the way are made; fields that every object has of itself are none. */
function setField(object: Fields, path: readonly string[], value: Json): void {
	const [name = '', ...deeper] = path;
	if (deeper.length === 0) {
		Object.defineProperty(object, name, { value: structuredClone(value), writable: true, enumerable: true, configurable: true });
		return;
	}
	const own = Object.hasOwn(object, name) ? object[name] : undefined;
	const inner: Fields = typeof own === 'object' && own !== null && !Array.isArray(own) ? (own as Fields) : {};
	setField(inner, deeper, value);
	Object.defineProperty(object, name, { value: inner, writable: true, enumerable: true, configurable: true });
}

/** The job of the sweep with the values of an assignment. Shorter paths are set first, so that `weighting` does not undo `weighting.preset`. */
function assigned(job: JobRequest, assignment: Assignment): JobRequest {
	const request = structuredClone(job);
	const paths = Object.entries(assignment).map(([name, value]) => ({ path: name.split('.'), value }));
	for (const { path, value } of paths.toSorted((a, b) => a.path.length - b.path.length)) setField(request as Fields, path, value);
	return request;
}

/** The job that a trial was trained by before, up to how many epochs. */
export type Before = { readonly job: string; readonly epochs: number };

/**
 * The spec of the job that a decision is about. Seed k of an assignment is the seed of its job + k. A trial that goes on is a job of its own, which begins with
 * the last parameters and the optimizer of the job before, and trains the epochs that are left to its rung. Throws ProblemError where the values make no job.
 *
 * @param start the decision that began the trial
 * @param before null where this is that decision
 */
export function trialSpec(
	id: string,
	{ name, job, pruning }: SweepSpec,
	start: Start,
	{ trial, epochs }: Decision,
	before: Before | null,
): JobSpec {
	const spec = parseJobSpec(assigned(job, start.assignment));
	const { training } = spec;
	const rung =
		pruning.type === 'none'
			? {}
			: {
					epochs: epochs - (before?.epochs ?? 0),
					keep_state: 'optimizer' as const,
					...(before && { initialise_from: { job: before.job, parameters: 'last' as const, optimizer: true } }),
				};
	return {
		...spec,
		name: `${name ?? id}, trial ${trial}${before === null ? '' : `, up to ${epochs} epochs`}`,
		training: { ...training, seed: (training.seed + start.seed) % 2 ** 32, ...rung },
	};
}
