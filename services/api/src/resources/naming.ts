import { changedMetadata, type Metadata, type UploadChange } from '@steelyard/contracts';
import { readRecord, type Store } from '@steelyard/store';
import { createExclusive } from './exclusive.js';

/** What a resource is called, and what is noted about it. */
export type Naming = { name: string; metadata: Metadata };

/** Names and metadata that were changed after a resource was made. They lie in one file beside its record, which stays as it is. */
export type Namings = {
	/** A resource as it is named now. Those of earlier versions have no metadata in their records. */
	apply<T extends { id: string; name: string; metadata?: Metadata }>(resource: T): Promise<T & Naming>;
	/**
	 * Changes what the resource is called that `find` finds, and gives what `find` finds then. Changes through one process follow one another; of two through several
	 * processes at the same moment, one may be lost. Throws ProblemError where the metadata would be too many, and as `find`.
	 */
	change<T extends Naming>(id: string, change: UploadChange, find: () => Promise<T>): Promise<T>;
};

/** Opens the changed names of resources of one kind. `key`: where they lie in the store. */
export function createNamings(store: Store, key: (id: string) => string): Namings {
	const exclusive = createExclusive();
	return {
		async apply(resource) {
			return { ...resource, metadata: resource.metadata ?? {}, ...(await readRecord<Naming>(store, key(resource.id))) };
		},
		change: (id, { name, metadata }, find) =>
			exclusive(id, async () => {
				const found = await find();
				const naming: Naming = { name: name ?? found.name, metadata: changedMetadata(found.metadata, metadata) };
				// What another version has noted there, and this one does not know, stays.
				await store.put(key(id), JSON.stringify({ ...(await readRecord(store, key(id))), ...naming }));
				// Where it was deleted meanwhile it is not there, and what was just written goes with the next clearing.
				return find();
			}),
	};
}
