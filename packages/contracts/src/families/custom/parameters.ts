import { listed } from '../../listed.js';
import type { ModelParameter } from '../../model.js';
import type { ProblemError } from '../../problems.js';
import type { CustomConfig } from './config.js';
import { misfit } from './misfit.js';

/** The element types of a graph that are trained, by numbers of float32. */
export const TRAINED: readonly string[] = ['float32', 'float16', 'bfloat16'];

/** The most stars of all globs of one field: each is a search in the name of every parameter, and a graph may have a hundred thousand of these. */
const MOST_STARS = 1000;

/** Tells whether a name fits a glob, in which each `*` stands for any characters: every part between stars is searched for after the part before it, the last one at the end. */
function matcherOf(glob: string): (name: string) => boolean {
	const [first = '', ...rest] = glob.split('*');
	const last = rest.pop();
	if (last === undefined) return (name) => name === glob;
	const parts = rest.filter((part) => part !== '');
	return (name) => {
		if (!name.startsWith(first) || !name.endsWith(last)) return false;
		let at = first.length;
		for (const part of parts) {
			const found = name.indexOf(part, at);
			if (found < 0) return false;
			at = found + part.length;
		}
		return name.length - last.length >= at;
	};
}

/** Tells whether a name is one of those that stand in full among the globs, or fits another of them. */
function namedBy(globs: readonly string[]): (name: string) => boolean {
	const full = new Set(globs);
	const matchers = [...full].filter((glob) => glob.includes('*')).map(matcherOf);
	return (name) => full.has(name) || matchers.some((matches) => matches(name));
}

/** The parameters whose names fit a glob. */
export function parametersNamed(glob: string, parameters: readonly ModelParameter[]): ModelParameter[] {
	const matches = matcherOf(glob);
	return parameters.filter(({ name }) => matches(name));
}

/** The globs of each field have few enough stars for all names to be tried. */
export function* starProblems({ trainable = [], frozen = [], lora }: CustomConfig): Iterable<ProblemError> {
	for (const [field, globs] of Object.entries({ trainable, frozen, 'lora.match': lora?.match ?? [] })) {
		const stars = globs.reduce((sum, glob) => sum + glob.split('*').length - 1, 0);
		if (stars > MOST_STARS)
			yield misfit(
				`model.${field} has ${stars} stars in its names, expected at most ${MOST_STARS}: say the same with fewer, or name the parameters in full`,
				`model.${field}`,
			);
	}
}

/**
 * The parameters that a job trains, in the order of the model: those that inspection found trainable and whose names fit a glob of `trainable`, and those that
 * `trainable` names in full, whatever inspection found; without those whose names fit a glob of `frozen`. With `lora` only what `trainable` names.
 */
export function chosenParameters(
	{ lora, trainable = lora === undefined ? ['*'] : [], frozen = [] }: Pick<CustomConfig, 'trainable' | 'frozen' | 'lora'>,
	parameters: readonly ModelParameter[],
): ModelParameter[] {
	const inFull = new Set(trainable);
	const isChosen = namedBy(trainable);
	const isFrozen = namedBy(frozen);
	return parameters.filter(({ name, trainable: can }) => (can || inFull.has(name)) && isChosen(name) && !isFrozen(name));
}

/** Every glob names a parameter, and each glob of `trainable` names one that can be trained. */
function* globProblems(config: CustomConfig, parameters: readonly ModelParameter[]): Iterable<ProblemError> {
	const trainable = parameters.filter((parameter) => parameter.trainable).map(({ name }) => name);
	for (const field of ['trainable', 'frozen'] as const) {
		for (const [i, glob] of (config[field] ?? []).entries()) {
			const named = parametersNamed(glob, parameters);
			if (named.length === 0)
				yield misfit(
					`model.${field} names "${glob}", which no parameter of the model is called; there are ${listed(trainable)}`,
					`model.${field}.${i}`,
				);
			else if (field === 'trainable' && !named.some((parameter) => parameter.trainable || parameter.name === glob))
				yield misfit(`"${named[0]?.name}" cannot be trained: ${named[0]?.reason}`, `model.${field}.${i}`);
		}
	}
}

/** The globs make sense, some parameters are left to be trained, and those are of a type that is trained. */
export function* parameterProblems(config: CustomConfig, parameters: readonly ModelParameter[]): Iterable<ProblemError> {
	const globs = [...globProblems(config, parameters)];
	yield* globs;
	const chosen = chosenParameters(config, parameters);
	const other = chosen.find(({ dtype }) => !TRAINED.includes(dtype));
	if (other !== undefined)
		yield misfit(`The parameter "${other.name}" is ${other.dtype}; only ${TRAINED.join(', ')} can be trained: freeze it`, 'model.frozen');
	if (globs.length > 0 || chosen.length > 0 || config.lora !== undefined) return;
	if (parameters.some(({ trainable }) => trainable))
		yield misfit('No parameter is left to be trained: all that are trainable are frozen', 'model.frozen');
	else yield misfit('The model has no parameter that can be trained', 'model.model');
}
