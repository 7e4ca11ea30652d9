import { jsonFault, ProblemError, parse, TableManifest } from '@steelyard/contracts';
import { MOST_NESTING, nestingOf } from '@steelyard/dataset';

/** The manifest of a table from its JSON. The `param` of a refusal is `manifest.<path of the field>`. Throws ProblemError `invalid_dataset`. */
export function tableManifest(text: string): TableManifest {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (error) {
		throw new ProblemError(
			'invalid_dataset',
			`The manifest: expected valid JSON, found ${jsonFault(text) ?? (error as SyntaxError).message}`,
			'manifest',
		);
	}
	const depth = nestingOf(value);
	if (depth > MOST_NESTING)
		throw new ProblemError(
			'invalid_dataset',
			`The manifest: expected nesting of at most ${MOST_NESTING} levels, found ${depth}`,
			'manifest',
		);
	try {
		return parse(TableManifest, value, 'invalid_dataset');
	} catch (error) {
		if (!(error instanceof ProblemError)) throw error;
		throw new ProblemError(
			'invalid_dataset',
			`The manifest: ${error.message}`,
			error.param === null ? 'manifest' : `manifest.${error.param}`,
		);
	}
}
