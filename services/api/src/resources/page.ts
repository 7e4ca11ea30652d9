import { type IdKind, type List, type ListQuery, ProblemError } from '@steelyard/contracts';
import { listIds, type Store } from '@steelyard/store';

/** The refusal of a page after something that is not there. It would be the first page, or an empty one, whose reader took it for the last. */
export const unknownCursor = (after: string, param = 'after'): ProblemError =>
	new ProblemError('invalid_request', `There is no ${after} for a page to follow; where it was deleted, begin with the first page`, param);

/**
 * Gives a page of resources of one kind, newest first. Each is a folder of the store whose name is its id; ids begin with the time at which they were made.
 * A folder that `find` knows no resource for is left out. Throws ProblemError where it knows none for `after`.
 */
export async function pageOf<T>(
	store: Store,
	kind: IdKind,
	{ limit, after }: ListQuery,
	find: (id: string) => Promise<T | null>,
): Promise<List<T>> {
	if (after !== undefined && (await find(after)) === null) throw unknownCursor(after);
	const ids = (await listIds(store, kind)).filter((id) => after === undefined || id < after).reverse();
	const data: T[] = [];
	for (const id of ids) {
		const resource = await find(id);
		if (resource === null) continue;
		if (data.length === limit) return { object: 'list', data, has_more: true };
		data.push(resource);
	}
	return { object: 'list', data, has_more: false };
}
