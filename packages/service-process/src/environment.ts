import { fieldErrors, fromText } from '@steelyard/contracts';
import type { Static, TObject } from 'typebox';
import Value from 'typebox/value';

/** Environment variables by name, as `process.env` has them. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** The environment does not make a configuration. The message begins with the name of the variable, and shows no secret. */
export class ConfigError extends Error {
	override readonly name = 'ConfigError';
	readonly code = 'invalid_config';
}

/** Whether the schema of a variable marks it as one whose value is never shown. */
const isSecret = (schema: object): boolean => (schema as { secret?: boolean }).secret === true;

/** The names of the variables that a schema marks as secret. */
export const secretsOf = (environment: TObject): string[] =>
	Object.entries(environment.properties).flatMap(([name, schema]) => (isSecret(schema) ? [name] : []));

/**
 * Reads the variables that a schema names, with its defaults. A variable that is set but empty counts as not set. Throws ConfigError naming the first
 * variable that does not fit.
 */
export function readEnvironment<S extends TObject>(environment: S, variables: Variables): Static<S> {
	const given = Object.fromEntries(
		Object.keys(environment.properties).flatMap((name) => (variables[name] ? [[name, variables[name]]] : [])),
	);
	const values = Value.Default(environment, fromText(environment, given));
	if (Value.Check(environment, values)) return values as Static<S>;
	const { param = '', detail = 'does not fit' } = fieldErrors(environment, values)[0] ?? {};
	throw new ConfigError(`${param} ${secretsOf(environment).includes(param) ? detail.replace(/, found .*/s, '') : detail}`);
}

/** What was read, for a log: of a secret only whether it is set. Variables that are not set and have no default are left out. */
export function shownEnvironment<S extends TObject>(environment: S, values: Static<S>): Record<string, unknown> {
	const secrets = secretsOf(environment);
	return Object.fromEntries(
		Object.entries(values as Record<string, unknown>).map(([name, value]) => [name, secrets.includes(name) ? 'set, not shown' : value]),
	);
}
