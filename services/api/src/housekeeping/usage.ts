import type { Usage } from '@steelyard/contracts';
import { folders, jobKeys, type Store, type StoredEntry } from '@steelyard/store';
import { bytesOf } from '../resources/bytes-of.js';
import type { Owned, OwnerOf } from '../resources/owners.js';
import type { Room } from '../resources/room.js';

/** The entries of each resource of a folder, by the name of the folder of that, which is its id. */
function byResource(entries: readonly StoredEntry[]): Map<string, StoredEntry[]> {
	const found = new Map<string, StoredEntry[]>();
	for (const entry of entries) {
		const id = entry.key.split('/', 2)[1] ?? '';
		const own = found.get(id);
		if (own === undefined) found.set(id, [entry]);
		else own.push(entry);
	}
	return found;
}

type Parts = { store: Store; room: Room; ownerOf: OwnerOf };

/** Counts what lies in the store, and what of it belongs to a project. It looks at every file, which takes some microseconds each and holds up no other request. */
export async function usageOf({ store, room, ownerOf }: Parts, project: string): Promise<Usage> {
	const { free, total, kept } = await room.state();

	async function count(prefix: string, kind?: Owned) {
		const entries = await store.entries(prefix);
		const all = byResource(entries);
		const own: StoredEntry[][] = [];
		if (kind !== undefined) for (const [id, files] of all) if ((await ownerOf(kind, id)) === project) own.push(files);
		return { kept: { count: all.size, bytes: bytesOf(entries) }, own: { count: own.length, bytes: bytesOf(own.flat()) }, entries };
	}
	const [datasets, models, jobs, uploads, files] = await Promise.all([
		count(folders.ds, 'ds'),
		count(folders.mdl, 'mdl'),
		count(folders.job, 'job'),
		count(folders.uploads),
		store.temporary(),
	]);
	return {
		object: 'usage',
		disk: { total_bytes: total, free_bytes: free, reserved_bytes: Math.ceil(kept) },
		datasets: datasets.kept,
		models: models.kept,
		jobs: { ...jobs.kept, checkpoint_bytes: bytesOf(jobs.entries.filter(({ key }) => jobKeys.isCheckpoint(key))) },
		temporary: { count: uploads.kept.count + files.length, bytes: uploads.kept.bytes + bytesOf(files) },
		project: {
			name: project,
			bytes: datasets.own.bytes + models.own.bytes + jobs.own.bytes,
			datasets: datasets.own,
			models: models.own,
			jobs: jobs.own,
		},
	};
}
