import type { IdKind, List, ListQuery } from '@steelyard/contracts';
import { listIds, type Store } from '@steelyard/store';

/**
 * Gives a page of resources of one kind, newest first. Each is a folder of the store whose name is its id; ids begin with the time at which they were made.
 * A folder that `find` knows no resource for is left out.
 */
export async function pageOf<T>(
	store: Store,
	kind: IdKind,
	{ limit, after }: ListQuery,
	find: (id: string) => Promise<T | null>,
): Promise<List<T>> {
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
