import { type TSchema, Type } from 'typebox';
import { JobSpec } from './spec.js';

type Fields = Record<string, TSchema>;
/** The keywords in which our schemas hold other schemas. */
type Holder = {
	properties?: Fields;
	required?: string[];
	patternProperties?: Fields;
	anyOf?: TSchema[];
	items?: TSchema;
	discriminator?: unknown;
};

const mapped = (fields: Fields): Fields => Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, requestOf(field)]));

/**
 * The schema of what a client sends, derived from the schema of what the service reads after it has filled in the defaults: a field that has a default
 * is not required. A union has no `discriminator`, since a client may leave the field out that would decide.
 */
export function requestOf(schema: TSchema): TSchema {
	const { properties, required, patternProperties, anyOf, items, discriminator: _, ...rest } = schema as Holder;
	const still = required?.filter((name) => !('default' in (properties?.[name] ?? {}))) ?? [];
	return {
		...rest,
		...(properties && { properties: mapped(properties) }),
		...(still.length > 0 && { required: still }),
		...(patternProperties && { patternProperties: mapped(patternProperties) }),
		...(anyOf && { anyOf: anyOf.map(requestOf) }),
		...(items && { items: requestOf(items) }),
	};
}

/** A value with any of its fields left out, at every depth. The types do not know which fields have a default. */
export type Partially<T> = T extends readonly unknown[] ? T : T extends object ? { [K in keyof T]?: Partially<T[K]> | undefined } : T;

/** A job as a client posts it. Every field but `dataset` has a default. */
export type JobRequest = Partially<Omit<JobSpec, 'dataset'>> & Pick<JobSpec, 'dataset'>;
export const JobRequest = Type.Unsafe<JobRequest>(requestOf(JobSpec));
