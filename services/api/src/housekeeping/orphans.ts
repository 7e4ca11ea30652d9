import type { JobResource } from '@steelyard/contracts';
import { datasetKeys, folders, isDamaged, jobKeys, keyKeys, modelKeys, type Store, type StoredEntry, sweepKeys } from '@steelyard/store';
import { bytesOf } from '../resources/bytes-of.js';

/** What housekeeping needs of a job that has ended. */
export type EndedJob = Pick<JobResource, 'id' | 'status' | 'attempt' | 'created_at' | 'finished_at' | 'sweep'>;

/** What nothing refers to: a key, or the prefix of a folder, with the bytes below it. */
export type Orphan = { key: string; bytes: number };

/** The age from which on it is certain that nobody writes any more what nothing refers to, in milliseconds. */
const OLD = 60 * 60 * 1000;

/** Entries by the folder that the first `depth` names of their keys make. */
function byFolder(entries: readonly StoredEntry[], depth: number): Map<string, StoredEntry[]> {
	const found = new Map<string, StoredEntry[]>();
	for (const entry of entries) {
		const names = entry.key.split('/');
		if (names.length < depth || names[depth - 1] === '') continue;
		const folder = names.slice(0, depth).join('/');
		const inside = found.get(folder);
		if (inside === undefined) found.set(folder, [entry]);
		else inside.push(entry);
	}
	return found;
}

/** A folder as an orphan, if all of it is old and no damaged record in it may be restored; nothing else. */
function old(key: string, entries: readonly StoredEntry[], now: number): Orphan[] {
	if (entries.some((entry) => now - entry.modified.getTime() < OLD || isDamaged(entry.key))) return [];
	return [{ key, bytes: bytesOf(entries) }];
}

/** What is left of a job that has succeeded beside its record and the attempt that made its artifacts, and unfinished files of any job that has ended. */
function leftIn({ id, status, attempt }: EndedJob, entries: readonly StoredEntry[], now: number): Orphan[] {
	const isStale = (folder: string) => folder.startsWith(`${jobKeys.attempts(id)}/`) && folder !== jobKeys.attempt(id, attempt);
	const stale = [...byFolder(entries, 4).keys()].filter(isStale);
	const useless = status === 'succeeded' ? [...stale, jobKeys.checkpoints(id, attempt)] : [];
	const inside = (folder: string) => entries.filter(({ key }) => key.startsWith(`${folder}/`));
	const parts = entries.filter(({ key }) => /\.(part|tmp)$/.test(key) && !useless.some((folder) => key.startsWith(`${folder}/`)));
	const left = [...useless.map((folder) => [folder, inside(folder)] as const), ...parts.map((entry) => [entry.key, [entry]] as const)];
	return left.flatMap(([key, found]) => (found.length === 0 ? [] : old(key, found, now)));
}

/**
 * Finds what interrupted processes have left, older than an hour: uploads that never became whole, folders without the record that makes them a dataset, a model, a key, a
 * sweep or a job, attempts of a job that has succeeded in another one, and files of jobs that have ended which were not written to their end. `ended` are the jobs that have
 * ended, and `isKnown` says whether there is a job.
 */
export async function findOrphans(
	store: Store,
	ended: ReadonlyMap<string, EndedJob>,
	isKnown: (id: string) => Promise<boolean>,
	now = Date.now(),
): Promise<Orphan[]> {
	const found: Orphan[] = [];
	for (const [folder, inside] of byFolder(await store.entries(folders.uploads), 2)) found.push(...old(folder, inside, now));
	for (const [kind, record] of [
		[folders.ds, datasetKeys.record],
		[folders.mdl, modelKeys.record],
		[folders.key, keyKeys.record],
		[folders.swp, sweepKeys.record],
	] as const)
		for (const [folder, inside] of byFolder(await store.entries(kind), 2))
			if (!inside.some(({ key }) => key === record(folder.slice(kind.length + 1)))) found.push(...old(folder, inside, now));
	for (const [folder, inside] of byFolder(await store.entries(folders.job), 2)) {
		const id = folder.slice(folders.job.length + 1);
		const job = ended.get(id);
		if (job !== undefined) found.push(...leftIn(job, inside, now));
		else if (!inside.some(({ key }) => key === jobKeys.record(id)) && !(await isKnown(id))) found.push(...old(folder, inside, now));
	}
	return found;
}
