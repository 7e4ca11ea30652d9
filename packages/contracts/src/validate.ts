import type { Static, TSchema } from 'typebox';
import Value from 'typebox/value';
import { branchesOf, strayField } from './branches.js';
import { ProblemError } from './problems.js';

export type FieldError = { param: string; detail: string };

const fieldOf = (pointer: string, extra?: string): string =>
	[
		...pointer
			.split('/')
			.slice(1)
			.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')),
		...(extra === undefined ? [] : [extra]),
	].join('.');

const shown = (value: unknown): string => {
	const text = JSON.stringify(value) ?? 'nothing';
	return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

const at = (value: unknown, pointer: string): unknown =>
	pointer
		.split('/')
		.slice(1)
		.reduce<unknown>(
			(inner, part) => (inner as Record<string, unknown> | undefined)?.[part.replaceAll('~1', '/').replaceAll('~0', '~')],
			value,
		);

/** Every field of `value` that does not fit `schema`, named by its path, with what was expected and what was found; empty when all fits. */
export function fieldErrors(schema: TSchema, value: unknown): FieldError[] {
	const errors: FieldError[] = [];
	for (const error of Value.Errors(branchesOf(schema, value), value)) {
		const params = error.params as { additionalProperties?: string[]; requiredProperties?: string[]; allowedValues?: unknown[] };
		if (error.keyword === 'boolean' || error.keyword === 'anyOf') continue;
		const path = error.instancePath.split('/').slice(1);
		const stray = ([union, field, ...deeper]: string[]) =>
			union === undefined || field === undefined || deeper.length > 0 ? null : strayField(schema, value, union, field);
		if (error.keyword === 'additionalProperties') {
			for (const name of params.additionalProperties ?? [])
				errors.push({ param: fieldOf(error.instancePath, name), detail: stray([...path, name]) ?? 'is not a known field' });
		} else if (error.keyword === 'const' && stray(path) !== null) {
			errors.push({ param: fieldOf(error.instancePath), detail: stray(path) as string });
		} else if (error.keyword === 'required') {
			for (const name of params.requiredProperties ?? []) errors.push({ param: fieldOf(error.instancePath, name), detail: 'is required' });
		} else {
			const found = shown(at(value, error.instancePath));
			const detail =
				error.keyword === 'enum'
					? `must be one of ${(params.allowedValues ?? []).map((v) => JSON.stringify(v)).join(', ')}`
					: error.message;
			errors.push({ param: fieldOf(error.instancePath), detail: `${detail}, found ${found}` });
		}
	}
	// A value that fits no branch of a union has messages of every branch, without the defaults of any: the most telling is deepest and about a field that is there.
	const depth = (error: FieldError) => 2 * error.param.split('.').length - (error.detail === 'is required' ? 1 : 0);
	return errors.sort((a, b) => depth(b) - depth(a));
}

/** Fills in defaults, then checks. Throws ProblemError `code` naming the first offending field. The input is not changed; nothing is coerced. */
export function parse<S extends TSchema>(
	schema: S,
	input: unknown,
	code: 'invalid_request' | 'invalid_dataset' = 'invalid_request',
): Static<S> {
	const branch = branchesOf(schema, input);
	const value = Value.Default(branch, structuredClone(input));
	if (Value.Check(branch, value)) return value as Static<S>;
	const first = fieldErrors(schema, value)[0] ?? { param: '', detail: 'does not fit' };
	throw new ProblemError(code, `${first.param === '' ? 'The body' : first.param} ${first.detail}`, first.param === '' ? null : first.param);
}
