import type { Usage } from '@steelyard/contracts';
import { folders, jobKeys, type Store, type StoredEntry } from '@steelyard/store';
import type { Room } from '../resources/room.js';

const bytesOf = (entries: readonly StoredEntry[]): number => entries.reduce((sum, { bytes }) => sum + bytes, 0);

/** The first two names of a key: the folder of a resource. */
const ownerOf = (key: string): string => key.split('/', 2).join('/');

/** Counts what lies in the store. It looks at every file, which takes some microseconds each and holds up no other request. */
export async function usageOf(store: Store, room: Room): Promise<Usage> {
	const { free, total, kept } = await room.state();
	const count = async (prefix: string) => {
		const entries = await store.entries(prefix);
		return { count: new Set(entries.map(({ key }) => ownerOf(key))).size, bytes: bytesOf(entries), entries };
	};
	const [datasets, models, jobs, uploads, files] = await Promise.all([
		count(folders.ds),
		count(folders.mdl),
		count(folders.job),
		count(folders.uploads),
		store.temporary(),
	]);
	return {
		object: 'usage',
		disk: { total_bytes: total, free_bytes: free, reserved_bytes: Math.ceil(kept) },
		datasets: { count: datasets.count, bytes: datasets.bytes },
		models: { count: models.count, bytes: models.bytes },
		jobs: {
			count: jobs.count,
			bytes: jobs.bytes,
			checkpoint_bytes: bytesOf(jobs.entries.filter(({ key }) => jobKeys.isCheckpoint(key))),
		},
		temporary: { count: uploads.count + files.length, bytes: uploads.bytes + bytesOf(files) },
	};
}
