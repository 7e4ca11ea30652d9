import { type Findable, type FoundList, type IdKind, isFound, nullWhereNewer, ProblemError, type UploadsQuery } from '@steelyard/contracts';
import { idsFrom, listIds, type Store } from '@steelyard/store';

/** The refusal of a page after something that is not there. It would be the first page, or an empty one, whose reader took it for the last. */
export const unknownCursor = (after: string, param = 'after'): ProblemError =>
	new ProblemError('invalid_request', `There is no ${after} for a page to follow; where it was deleted, begin with the first page`, param);

/** How many resources one request looks at, each of which is a file to read; where more are left, the page says where the next begins. */
const LOOKED_AT = 1000;

/** Milliseconds by which the time in an id and `created_at` may lie apart. An upload has its id before it arrives. */
const APART = 24 * 60 * 60 * 1000;

/**
 * Gives a page of the resources of one kind that fit, newest first. Each is a folder of the store whose name is its id; ids begin with the time at which they were
 * made. A folder that `find` knows no resource for is left out, and so is one that a newer version of the service has written. Throws ProblemError where it knows none for `after`.
 */
export async function pageOf<T extends Findable & { id: string }>(
	store: Store,
	kind: IdKind,
	{ limit, after, ...filters }: UploadsQuery,
	find: (id: string) => Promise<T | null>,
	lookedAt = LOOKED_AT,
): Promise<FoundList<T>> {
	if (after !== undefined && (await find(after)) === null) throw unknownCursor(after);
	const { created_after: least, created_before: beyond } = filters;
	const isInTime = (id: string) =>
		(least === undefined || id >= idsFrom(kind, least * 1000 - APART)) &&
		(beyond === undefined || id < idsFrom(kind, beyond * 1000 + APART));
	const ids = (await listIds(store, kind)).filter((id) => (after === undefined || id < after) && isInTime(id)).reverse();
	const data: T[] = [];
	let seen = 0;
	let last: string | null = null;
	for (const id of ids) {
		if (seen === lookedAt) return { object: 'list', data, has_more: true, next: last };
		const resource = await find(id).catch(nullWhereNewer);
		if (resource === null) continue;
		seen++;
		if (isFound(filters, resource)) {
			if (data.length === limit) return { object: 'list', data, has_more: true, next: data.at(-1)?.id ?? null };
			data.push(resource);
		}
		last = id;
	}
	return { object: 'list', data, has_more: false, next: null };
}
