import { JobSpec } from '../spec.js';
import { parse } from '../validate.js';
import { specProblems } from './admit.js';

/** A job spec with every default filled in and all checked that can be without its dataset. Throws ProblemError `invalid_request`. */
export function parseJobSpec(input: unknown): JobSpec {
	const spec = parse(JobSpec, input);
	for (const problem of specProblems(spec)) throw problem;
	return spec;
}
