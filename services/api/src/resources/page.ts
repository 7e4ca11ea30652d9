import { readdir } from 'node:fs/promises';
import type { List, ListQuery } from '@steelyard/contracts';

/** A page of the resources that are folders of `folder`, newest first: their ids, which `pattern` knows, begin with their time of birth. What `find` does not find is not there. */
export async function pageOf<T>(
	folder: string,
	pattern: RegExp,
	{ limit, after }: ListQuery,
	find: (id: string) => Promise<T | null>,
): Promise<List<T>> {
	const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
		if (error.code === 'ENOENT') return [];
		throw error;
	});
	const ids = entries
		.filter((id) => pattern.test(id) && (after === undefined || id < after))
		.sort()
		.reverse();
	const data: T[] = [];
	for (const id of ids) {
		const resource = await find(id);
		if (resource === null) continue;
		if (data.length === limit) return { object: 'list', data, has_more: true };
		data.push(resource);
	}
	return { object: 'list', data, has_more: false };
}
