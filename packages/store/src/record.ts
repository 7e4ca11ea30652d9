import { knownRecord } from '@steelyard/contracts';
import type { Store } from './store.js';

const DAMAGED = '.damaged';

function objectIn(text: string): object | null {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === 'object' ? value : null;
	} catch {
		return null;
	}
}

/**
 * Reads a record, such as `jobs/<id>/job.json`; null where there is none. One that is no JSON object, because a power cut or a failing disk has torn it, is set
 * aside as `<key>.damaged`, so that it stops nothing else; from then on there is none. Throws NewerRecordError for one that a newer version of the service has
 * written, which stays as it is.
 */
export async function readRecord<T extends object>(store: Store, key: string): Promise<T | null> {
	const bytes = await store.get(key);
	if (bytes === null) return null;
	const record = objectIn(bytes.toString());
	if (record === null) await store.move(key, `${key}${DAMAGED}`);
	return record === null ? null : (knownRecord(record, key) as T);
}

/** Whether a key is that of a record that was set aside. */
export const isDamaged = (key: string): boolean => key.endsWith(DAMAGED);

/** The keys of the records that were set aside. */
export const listDamaged = async (store: Store): Promise<string[]> => (await store.list('')).filter(isDamaged);
