import type { Static, TSchema } from 'typebox';
import { Settings } from 'typebox/system';
import Value from 'typebox/value';
import { branchesOf, strayField } from './branches.js';
import { excessOf, UNKNOWN } from './excess.js';
import { expectedOf } from './name-pattern.js';
import { ProblemError } from './problems.js';
import { shown } from './shown.js';

export type FieldError = { param: string; detail: string };

// Unless told otherwise TypeBox stops after 8, and 8 unknown fields would hide what else there is. No object has more than some tens of them here.
Settings.Set({ maxErrors: 200 });

/** The most characters of a field's name in a path. */
const LONGEST_NAME = 80;

const partsOf = (pointer: string): string[] =>
	pointer
		.split('/')
		.slice(1)
		.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

/** A path as a message and `param` have it. */
const pathOf = (parts: readonly string[]): string =>
	parts.map((part) => (part.length > LONGEST_NAME ? `${part.slice(0, LONGEST_NAME)}…` : part)).join('.');

const fieldOf = (pointer: string, extra?: string): string => pathOf([...partsOf(pointer), ...(extra === undefined ? [] : [extra])]);

const at = (value: unknown, pointer: string): unknown =>
	partsOf(pointer).reduce<unknown>((inner, part) => (inner as Record<string, unknown> | undefined)?.[part], value);

/**
 * The fields of `value` that do not fit `schema`, named by their path, with what was expected and what was found; empty when all fits. Of a value that is larger
 * than the schema allows, only the first such place.
 */
export function fieldErrors(schema: TSchema, value: unknown): FieldError[] {
	const branch = branchesOf(schema, value);
	const excess = excessOf(branch, value);
	if (excess === null) return smallErrors(schema, branch, value);
	const [union, field, ...deeper] = excess.path;
	const isStray = excess.detail === UNKNOWN && union !== undefined && field !== undefined && deeper.length === 0;
	const stray = isStray ? strayField(schema, value, union, field) : null;
	return [{ param: pathOf(excess.path), detail: stray ?? excess.detail }];
}

/** The same for a value that is no larger than its schema allows. */
function smallErrors(schema: TSchema, branch: TSchema, value: unknown): FieldError[] {
	const errors: FieldError[] = [];
	for (const error of Value.Errors(branch, value)) {
		const params = error.params as {
			additionalProperties?: string[];
			requiredProperties?: string[];
			allowedValues?: unknown[];
			pattern?: string;
		};
		if (error.keyword === 'boolean' || error.keyword === 'anyOf') continue;
		const path = partsOf(error.instancePath);
		const stray = ([union, field, ...deeper]: string[]) =>
			union === undefined || field === undefined || deeper.length > 0 ? null : strayField(schema, value, union, field);
		if (error.keyword === 'additionalProperties') {
			for (const name of params.additionalProperties ?? [])
				errors.push({ param: fieldOf(error.instancePath, name), detail: stray([...path, name]) ?? UNKNOWN });
		} else if (error.keyword === 'const' && stray(path) !== null) {
			errors.push({ param: fieldOf(error.instancePath), detail: stray(path) as string });
		} else if (error.keyword === 'required') {
			for (const name of params.requiredProperties ?? []) errors.push({ param: fieldOf(error.instancePath, name), detail: 'is required' });
		} else {
			const found = shown(at(value, error.instancePath));
			const detail =
				error.keyword === 'enum'
					? `must be one of ${(params.allowedValues ?? []).map((v) => JSON.stringify(v)).join(', ')}`
					: expectedOf(params.pattern) === null
						? error.message
						: `must be ${expectedOf(params.pattern)}`;
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
	const isSmall = excessOf(branch, input) === null;
	const value = isSmall ? Value.Default(branch, structuredClone(input)) : input;
	if (isSmall && Value.Check(branch, value)) return value as Static<S>;
	const first = fieldErrors(schema, value)[0] ?? { param: '', detail: 'does not fit' };
	throw new ProblemError(code, `${first.param === '' ? 'The body' : first.param} ${first.detail}`, first.param === '' ? null : first.param);
}
