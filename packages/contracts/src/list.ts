import { type Static, type TSchema, Type } from 'typebox';
import { choice } from './choice.js';
import { type IdKind, idPattern } from './id.js';

/** How a client asks for a page of a list of things of one kind. */
export const listQuery = (kind: IdKind) =>
	Type.Object(
		{
			limit: Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'most resources that the page may have' }),
			after: Type.Optional(Type.String({ pattern: idPattern(kind), description: 'the id of the last resource seen' })),
		},
		{ additionalProperties: false },
	);
export type ListQuery = Static<ReturnType<typeof listQuery>>;

const Page = Type.Object({
	object: choice(['list']),
	has_more: Type.Boolean({ description: 'whether resources follow after this page' }),
});

/** The schema of a page of what `item` describes. */
export const ListOf = <T extends TSchema>(item: T, options: { description?: string } = {}) =>
	Type.Object({ ...Page.properties, data: Type.Array(item) }, options);

/** A page of resources. */
export type List<T> = Static<typeof Page> & { data: T[] };
