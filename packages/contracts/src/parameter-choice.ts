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

/**
 * The parameters that a glob means: one name, whatever inspection found of it; or with `*` those among the trainable ones, for constants are not meant by
 * "all of the encoder".
 */
export function parametersNamed(glob: string, parameters: readonly ModelParameter[]): ModelParameter[] {
	if (!glob.includes('*')) return parameters.filter(({ name }) => name === glob);
	return parameters.filter(({ name, trainable }) => trainable && matches(glob, name));
}

/** The names of the parameters that a job trains, in the order of the report: those of `trainable`, or all that inspection found trainable, without those of `frozen`. */
export function chosenParameters(
	{ trainable, frozen }: Pick<CustomConfig, 'trainable' | 'frozen'>,
	parameters: readonly ModelParameter[],
): string[] {
	const named = (globs: readonly string[]) => new Set(globs.flatMap((glob) => parametersNamed(glob, parameters).map(({ name }) => name)));
	const wanted = named(trainable ?? ['*']);
	const excluded = named(frozen ?? []);
	return parameters.flatMap(({ name }) => (wanted.has(name) && !excluded.has(name) ? [name] : []));
}
