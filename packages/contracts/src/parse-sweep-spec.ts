import { Type } from 'typebox';
import { parseJobSpec } from './admission/parse-job-spec.js';
import { parseSweepSearch } from './parse-sweep-search.js';
import { ProblemError } from './problems.js';
import { SweepSpec } from './sweep.js';
import { SweepSearch } from './sweep-search.js';
import { parse } from './validate.js';

/** The fields of a sweep, of which those of the job and of the search are checked apart. */
const Outline = Type.Object(
	{
		...SweepSpec.properties,
		job: Type.Unsafe<object>({ type: 'object' }),
		...Object.fromEntries(Object.keys(SweepSearch.properties).map((name) => [name, Type.Optional(Type.Unknown())])),
	},
	{ additionalProperties: false },
);

/** What `check` gives; a problem that it throws is that of a field inside of `field`. */
function inside<T>(field: string, check: () => T): T {
	try {
		return check();
	} catch (error) {
		if (!(error instanceof ProblemError)) throw error;
		throw new ProblemError(error.code, `${field}: ${error.message}`, error.param === null ? field : `${field}.${error.param}`);
	}
}

/** The spec of a sweep with every default filled in but those of its job, and all checked that can be without its dataset. Throws ProblemError `invalid_request`. */
export function parseSweepSpec(input: unknown): SweepSpec {
	const { name, job, metric, ...search } = parse(Outline, input) as Pick<SweepSpec, 'name' | 'job' | 'metric'>;
	const { training } = inside('job', () => parseJobSpec(job));
	const found = parseSweepSearch(search, training.epochs);
	if (found.seeds > 1 && Object.hasOwn(found.space, 'training.seed'))
		throw new ProblemError(
			'invalid_request',
			`space.training.seed cannot be searched beside seeds, which set it; found seeds ${found.seeds}`,
			'space.training.seed',
		);
	return { ...(name === undefined ? {} : { name }), job, metric, ...found };
}
