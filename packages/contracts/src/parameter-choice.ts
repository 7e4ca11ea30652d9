import type { CustomConfig } from './custom.js';
import type { ModelParameter } from './model.js';

/** Whether `*` in a glob can stand for characters so that it gives the name: each part is looked for after the one before, the last at the end. */
function matches(glob: string, name: string): boolean {
	const [first = '', ...rest] = glob.split('*');
	const last = rest.pop();
	if (last === undefined) return name === glob;
	if (!name.startsWith(first)) return false;
	let at = first.length;
	for (const part of rest) {
		const found = name.indexOf(part, at);
		if (found < 0) return false;
		at = found + part.length;
	}
	return name.length - last.length >= at && name.endsWith(last);
}

/** The parameters whose names a glob gives. */
export const parametersNamed = (glob: string, parameters: readonly ModelParameter[]): ModelParameter[] =>
	parameters.filter(({ name }) => matches(glob, name));

/**
 * The parameters that a job trains, in the order of the report: those that inspection found trainable, narrowed by `trainable`, and those that `trainable` names
 * in full whatever was found of them; without those of `frozen`.
 */
export function chosenParameters(
	{ trainable = ['*'], frozen = [] }: Pick<CustomConfig, 'trainable' | 'frozen'>,
	parameters: readonly ModelParameter[],
): ModelParameter[] {
	const isNamed = (globs: readonly string[], name: string) => globs.some((glob) => matches(glob, name));
	return parameters.filter(
		({ name, trainable: can }) => (can || trainable.includes(name)) && isNamed(trainable, name) && !isNamed(frozen, name),
	);
}
