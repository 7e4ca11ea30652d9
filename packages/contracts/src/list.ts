import { type Static, type TSchema, Type } from 'typebox';
import { choice } from './choice.js';
import { type IdKind, idPattern } from './id.js';
import { JOB_STATUSES } from './job-status.js';
import { SORTED_BY } from './name-pattern.js';
import { metadata } from './naming.js';

const closed = { additionalProperties: false } as const;

/** How a client asks for a page of a list of things of one kind. */
export const listQuery = (kind: IdKind) =>
	Type.Object(
		{
			limit: Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'most resources that the page may have' }),
			after: Type.Optional(Type.String({ pattern: idPattern(kind), description: 'the id of the last resource seen' })),
		},
		closed,
	);
export type ListQuery = Static<ReturnType<typeof listQuery>>;

const time = (description: string) => Type.Integer({ minimum: 0, maximum: 100_000_000_000, description });

/** By what resources of every kind are found. All that is given must hold. */
const filters = {
	name: Type.Optional(
		Type.String({
			minLength: 1,
			maxLength: 200,
			description: 'a part of the name, in capital or small letters: those that have it in theirs',
		}),
	),
	metadata: Type.Optional(metadata({ description: 'entries that the metadata must have, as metadata[name]=text' })),
	created_after: Type.Optional(time('unix seconds: those that were made later')),
	created_before: Type.Optional(time('unix seconds: those that were made earlier')),
};

/** How a client asks for a page of datasets or models that fit. */
export const uploadsQuery = (kind: 'ds' | 'mdl') => Type.Object({ ...listQuery(kind).properties, ...filters }, closed);
export type UploadsQuery = Static<ReturnType<typeof uploadsQuery>>;

/** How a client asks for a page of jobs that fit, in an order. */
export const jobsQuery = Type.Object(
	{
		...listQuery('job').properties,
		status: Type.Optional(
			Type.Array(choice(JOB_STATUSES), {
				minItems: 1,
				maxItems: JOB_STATUSES.length,
				description: 'those of this status; given several times, those of any of these',
			}),
		),
		dataset: Type.Optional(Type.String({ pattern: idPattern('ds'), description: 'those on this dataset' })),
		...filters,
		sort: Type.String({
			pattern: SORTED_BY.pattern,
			maxLength: 264,
			default: 'created',
			description:
				'what the list is sorted by: created, or a metric of the result with its split, such as validation.accuracy; jobs without that metric come last, the newest first',
		}),
		order: choice(['asc', 'desc'], { default: 'desc', description: 'desc: the newest or largest first; asc: the oldest or smallest' }),
	},
	closed,
);
export type JobsQuery = Static<typeof jobsQuery>;

const Page = Type.Object({
	object: choice(['list']),
	has_more: Type.Boolean({ description: 'whether resources follow after this page' }),
});

/** The schema of a page of what `item` describes. */
export const ListOf = <T extends TSchema>(item: T, options: { description?: string } = {}) =>
	Type.Object({ ...Page.properties, data: Type.Array(item) }, options);

/** A page of resources. */
export type List<T> = Static<typeof Page> & { data: T[] };

const next = Type.Union([Type.String(), Type.Null()], {
	description:
		'what to give as after for the next page; null where there is none. A page that was looked for may end early, also without any resource, where more follow',
});

/** The schema of a page of what was looked for. */
export const FoundListOf = <T extends TSchema>(item: T, options: { description?: string } = {}) =>
	Type.Object({ ...Page.properties, next, data: Type.Array(item) }, options);

/** A page of what was looked for. */
export type FoundList<T> = List<T> & { next: Static<typeof next> };

/** What a filter looks at in a resource. */
export type Findable = { name?: string | undefined; metadata?: Readonly<Record<string, string>> | undefined; created_at: number };

/** Whether a resource fits filters. Letters are compared as their small forms, whatever the language. */
export function isFound(
	{ name, metadata: entries = {}, created_after: after, created_before: before }: Partial<UploadsQuery>,
	resource: Findable,
): boolean {
	if (name !== undefined && !(resource.name ?? '').toLowerCase().includes(name.toLowerCase())) return false;
	if (after !== undefined && resource.created_at <= after) return false;
	if (before !== undefined && resource.created_at >= before) return false;
	const own = resource.metadata ?? {};
	return Object.entries(entries).every(([key, value]) => Object.hasOwn(own, key) && own[key] === value);
}
