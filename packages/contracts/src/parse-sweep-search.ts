import { Type } from 'typebox';
import { ProblemError } from './problems.js';
import { SweepSearch, searchProblems } from './sweep-search.js';
import { SweepDimension } from './sweep-space.js';
import { fieldErrors, parse } from './validate.js';

/** What is wrong with the first dimension that does not fit the schema of its type, as the schema of the whole cannot say; null where all fit. */
function dimensionProblem(input: unknown): ProblemError | null {
	const { space } = (input ?? {}) as { space?: unknown };
	if (typeof space !== 'object' || space === null || Array.isArray(space)) return null;
	for (const [name, dimension] of Object.entries(space)) {
		const [error] = fieldErrors(Type.Object({ [name]: SweepDimension }), { [name]: dimension });
		if (error !== undefined) return new ProblemError('invalid_request', `space.${error.param} ${error.detail}`, `space.${error.param}`);
	}
	return null;
}

/**
 * The search part of a sweep with every default filled in and all checked that can be without its job. Throws ProblemError `invalid_request`, whose `param` is
 * a path inside the search part.
 *
 * @param maximumEpochs as in `searchProblems`
 */
export function parseSweepSearch(input: unknown, maximumEpochs?: number): SweepSearch {
	let search: SweepSearch;
	try {
		search = parse(SweepSearch, input);
	} catch (error) {
		if (error instanceof ProblemError && error.param?.startsWith('space.')) throw dimensionProblem(input) ?? error;
		throw error;
	}
	for (const problem of searchProblems(search, maximumEpochs)) throw problem;
	return search;
}
