import { listed } from '../../listed.js';
import type { ModelParameter } from '../../model.js';
import type { ProblemError } from '../../problems.js';
import type { CustomConfig } from './config.js';
import { misfit } from './misfit.js';

/** The element types of a graph that are trained, by numbers of float32. */
export const TRAINED: readonly string[] = ['float32', 'float16', 'bfloat16'];

/** The most characters of names in which the stars of a job are searched for, each star in the name of every parameter: some hundredths of a second. */
const MOST_CHARACTERS = 3e7;

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

/** Finds the parameters whose names fit a glob, in the order of the model. */
export type Finder = (glob: string) => readonly ModelParameter[];

/** Makes a finder that tries the names of a model once for each glob with a star, and looks up a name in full. */
export function finderOf(parameters: readonly ModelParameter[]): Finder {
	const found = new Map<string, ModelParameter[]>();
	for (const parameter of parameters) {
		const namesakes = found.get(parameter.name);
		if (namesakes === undefined) found.set(parameter.name, [parameter]);
		else namesakes.push(parameter);
	}
	const tried = new Map<string, ModelParameter[]>();
	return (glob) => {
		if (!glob.includes('*')) return found.get(glob) ?? [];
		const known = tried.get(glob);
		if (known !== undefined) return known;
		const matches = matcherOf(glob);
		const named = parameters.filter(({ name }) => matches(name));
		tried.set(glob, named);
		return named;
	};
}

/** The globs of a job have few enough stars for all names to be tried. */
export function* starProblems(
	{ trainable = [], frozen = [], lora }: CustomConfig,
	parameters: readonly ModelParameter[],
): Iterable<ProblemError> {
	const characters = parameters.reduce((sum, { name }) => sum + name.length + 1, 1);
	const most = Math.max(1, Math.floor(MOST_CHARACTERS / characters));
	let stars = 0;
	for (const [field, globs] of Object.entries({ trainable, frozen, 'lora.match': lora?.match ?? [] })) {
		stars += globs.reduce((sum, glob) => sum + glob.split('*').length - 1, 0);
		if (stars <= most) continue;
		yield misfit(
			`The names in model.${field}${field === 'trainable' ? '' : ' and the fields before it'} have ${stars} stars, expected at most ${most} for a model of ${parameters.length} parameters: say the same with fewer, or name the parameters in full`,
			`model.${field}`,
		);
		return;
	}
}

/**
 * The parameters that a job trains, in the order of the model: those that inspection found trainable and whose names fit a glob of `trainable`, and those that
 * `trainable` names in full, whatever inspection found; without those whose names fit a glob of `frozen`. With `lora` only what `trainable` names.
 */
export function chosenParameters(
	{ lora, trainable = lora === undefined ? ['*'] : [], frozen = [] }: Pick<CustomConfig, 'trainable' | 'frozen' | 'lora'>,
	parameters: readonly ModelParameter[],
	find: Finder = finderOf(parameters),
): ModelParameter[] {
	const inFull = new Set(trainable);
	const chosen = new Set(trainable.flatMap((glob) => find(glob)));
	const kept = new Set(frozen.flatMap((glob) => find(glob)));
	return parameters.filter(
		(parameter) => (parameter.trainable || inFull.has(parameter.name)) && chosen.has(parameter) && !kept.has(parameter),
	);
}

/** Every glob names a parameter, and each glob of `trainable` names one that can be trained. */
function* globProblems(config: CustomConfig, parameters: readonly ModelParameter[], find: Finder): Iterable<ProblemError> {
	const trainable = parameters.filter((parameter) => parameter.trainable).map(({ name }) => name);
	for (const field of ['trainable', 'frozen'] as const) {
		for (const [i, glob] of (config[field] ?? []).entries()) {
			const named = find(glob);
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
	const find = finderOf(parameters);
	let isGood = true;
	for (const problem of globProblems(config, parameters, find)) {
		isGood = false;
		yield problem;
	}
	const chosen = chosenParameters(config, parameters, find);
	const other = chosen.find(({ dtype }) => !TRAINED.includes(dtype));
	if (other !== undefined)
		yield misfit(`The parameter "${other.name}" is ${other.dtype}; only ${TRAINED.join(', ')} can be trained: freeze it`, 'model.frozen');
	if (!isGood || chosen.length > 0 || config.lora !== undefined) return;
	if (parameters.some(({ trainable }) => trainable))
		yield misfit('No parameter is left to be trained: all that are trainable are frozen', 'model.frozen');
	else yield misfit('The model has no parameter that can be trained', 'model.model');
}
