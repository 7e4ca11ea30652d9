import { Type } from 'typebox';
import { ProblemError } from '../problems.js';
import type { JobSpec } from '../spec.js';
import { parse } from '../validate.js';
import { presetsOf, type SingleWeighting, type WeightingPreset, WeightingSpec } from '../weighting.js';

/** A job whose weighting is one that a model is trained with. */
export type SingleJobSpec = Omit<JobSpec, 'weighting'> & { weighting: SingleWeighting };

const Weighted = Type.Object({ weighting: WeightingSpec });

/** The weighting of a preset with its defaults, as a job that names it alone has it. */
const weightingOf = (preset: WeightingPreset): SingleWeighting => parse(Weighted, { weighting: { preset } }).weighting as SingleWeighting;

/** Whether a job is trained with one weighting. */
export const isSingle = (spec: JobSpec): spec is SingleJobSpec => spec.weighting.preset !== 'auto';

/** The jobs that a job with the weighting `auto` trains: itself with each of its candidates, in their order. */
export const candidatesOf = (spec: JobSpec): SingleJobSpec[] =>
	presetsOf(spec.weighting).map((preset) => ({ ...spec, weighting: weightingOf(preset) }));

/** What is wrong with the choice of candidates itself. */
export function* candidateProblems({ weighting }: JobSpec): Iterable<ProblemError> {
	if (weighting.preset !== 'auto') return;
	const twice = weighting.candidates?.find((preset, i, all) => all.indexOf(preset) < i);
	if (twice !== undefined)
		yield new ProblemError(
			'invalid_request',
			`weighting.candidates names ${twice} twice; expected each preset once`,
			'weighting.candidates',
		);
}

/** There is nothing to choose where nothing is weighed. */
export function* modalityCountProblems({ weighting }: JobSpec, modalities: readonly string[]): Iterable<ProblemError> {
	if (weighting.preset === 'auto' && modalities.length < 2)
		yield new ProblemError(
			'invalid_request',
			`weighting auto chooses how modalities are weighed, expected at least 2 of them, found ${modalities.length}; choose uniform`,
			'weighting.preset',
		);
}

/** What stands against a candidate of `auto`, as a problem of the job that names it. */
export function candidateProblem({ weighting: { preset } }: SingleJobSpec, { code, message, param }: ProblemError): ProblemError {
	return new ProblemError(
		code,
		param?.startsWith('weighting') === true ? `weighting auto cannot train ${preset}: ${message}` : message,
		param?.startsWith('weighting') === true ? 'weighting.candidates' : param,
	);
}
