import type { CachedFile } from '../cache/arrival.js';
import type { Digest } from '../digest.js';
import { isNaming } from '../layout.js';
import { readRecord } from '../record.js';
import type { Store } from '../store.js';

/** The files of a published folder with their digests, by their names in it. */
export type Contents = Readonly<Record<string, Digest>>;

const keyOf = (prefix: string): string => `${prefix}/files.json`;

/** Notes what a folder holds. */
export const writeContents = (store: Store, prefix: string, contents: Contents) => store.put(keyOf(prefix), JSON.stringify(contents));

export const removeContents = (store: Store, prefix: string) => store.remove(keyOf(prefix));

/** What a folder holds, as it was noted; where that was not, because it was copied into the store by other means, it is found out by reading all of it that never changes, and noted. */
async function contentsOf(store: Store, prefix: string): Promise<Contents> {
	const noted = await readRecord<Contents>(store, keyOf(prefix));
	if (noted !== null) return noted;
	const found: Record<string, Digest> = {};
	for (const key of await store.list(prefix, { deep: false })) {
		const digest = key.endsWith('/') || isNaming(key) ? null : await store.digest(key);
		if (digest !== null) found[key.slice(prefix.length + 1)] = digest;
	}
	// Of a folder that was removed nothing is to be left.
	if (Object.keys(found).length > 0) await writeContents(store, prefix, found);
	return found;
}

/** The files of a folder of the store, for the cache. */
export async function filesBelow(store: Store, prefix: string): Promise<CachedFile[]> {
	const contents = Object.entries(await contentsOf(store, prefix));
	return contents.map(([name, digest]) => ({ name, ...digest, read: () => store.read(`${prefix}/${name}`) }));
}
