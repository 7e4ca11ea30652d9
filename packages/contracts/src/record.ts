import { type TSchema, type TSchemaOptions, Type } from 'typebox';
import type { NameRule } from './name-pattern.js';

/**
 * The schema of an object whose fields have names that a user chooses. TypeBox lets names that do not fit its pattern pass with any value, so no other fields are
 * allowed; the description of the rule is what a message says of such a name.
 */
export const recordOf = <T extends TSchema>(name: NameRule, value: T, options: TSchemaOptions & { maxProperties: number }) =>
	Type.Record(Type.String({ pattern: name.pattern }), value, {
		...options,
		additionalProperties: false,
		propertyNames: { type: 'string', ...name },
	});
