import { problems } from '@steelyard/contracts';
import { type TSchema, Type } from 'typebox';

export const IdParams = Type.Object({ id: Type.String() });

export const ListOf = (item: TSchema, description: string) =>
	Type.Object({ object: Type.String({ enum: ['list'] }), data: Type.Array(item), has_more: Type.Boolean() }, { description });

/** A reference to a schema that the application knows by its name, which becomes a component of the document. */
export const ref = (name: string) => Type.Unsafe<never>({ $ref: `${name}#` });

/** The error answers of a route by status, for the document. */
export const refusals = (...codes: (keyof typeof problems)[]): Record<number, TSchema> => {
	const byStatus = new Map<number, string[]>();
	for (const code of codes) byStatus.set(problems[code].status, [...(byStatus.get(problems[code].status) ?? []), code]);
	return Object.fromEntries(
		[...byStatus].map(([status, named]) => [
			status,
			{
				description: named.map((code) => `\`${code}\``).join(', '),
				content: { 'application/problem+json': { schema: ref('Problem') } },
			} as unknown as TSchema,
		]),
	);
};
