import { nullWhereNewer, projectOf } from '@steelyard/contracts';
import { datasetKeys, jobKeys, modelKeys, readRecord, type Store } from '@steelyard/store';

const RECORDS = { ds: datasetKeys.record, mdl: modelKeys.record, job: jobKeys.record } as const;

/** The kinds of what belongs to projects and takes room. */
export const OWNED = ['ds', 'mdl', 'job'] as const;
export type Owned = (typeof OWNED)[number];

/** Gives the project of a dataset, a model or a job that lies in the store; null where it has no record, or one of a newer version of the service. */
export type OwnerOf = (kind: Owned, id: string) => Promise<string | null>;

/** Makes the lookup of owners, which reads each record once: what belongs to a project stays there. */
export function createOwnerOf(store: Store): OwnerOf {
	const owners = new Map<string, string>();
	return async (kind, id) => {
		const known = owners.get(id);
		if (known !== undefined) return known;
		const found = await readRecord<{ project?: string }>(store, RECORDS[kind](id)).catch(nullWhereNewer);
		if (found === null) return null;
		owners.set(id, projectOf(found));
		return projectOf(found);
	};
}
