import { readdir } from 'node:fs/promises';
import type { List, ListQuery } from '@steelyard/contracts';

/**
 * Gives a page of resources, newest first. Each is a folder in `folder` whose name is its id; ids match `pattern` and begin with the time at which they were
 * made. A folder that `find` knows no resource for is left out.
 */
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
