import type { Readable } from 'node:stream';

/** Size in bytes and lower-case hexadecimal SHA-256 of what was written or read. */
export type Digest = { bytes: number; sha256: string };

export type StoredObject = { bytes: number; modified: Date };

/**
 * Bytes by key. A key is one or more names joined by `/`, such as `jobs/job_…/job.json`; a prefix is a key that stands for all that
 * begins with it and a `/`. Whoever reads sees a whole object or none, also when a writer is killed.
 *
 * Every method rejects with InvalidKeyError for a key that could leave the store, and with ProblemError `insufficient_storage` where no space is left.
 */
export type Store = {
	/** Writes, replacing what was there. */
	put(key: string, content: Uint8Array | string | Readable): Promise<Digest>;
	/** Writes if the key is free; null where it is taken, by whoever was first. */
	putExclusive(key: string, content: Uint8Array | string): Promise<Digest | null>;
	/** The whole object, or null. */
	get(key: string): Promise<Buffer | null>;
	stat(key: string): Promise<StoredObject | null>;
	/** Reads it through; null where it is absent. */
	digest(key: string): Promise<Digest | null>;
	/** A range, both ends included and counted from 0. Rejects with ProblemError `not_found`. */
	read(key: string, range?: { start?: number; end?: number }): Promise<Readable>;
	/** Keys below a prefix in order; with `deep: false` only the next names, those of prefixes with a `/` at their end. */
	list(prefix: string, options?: { deep?: boolean }): Promise<string[]>;
	/** Removes a key or all below a prefix; nothing happens where it is absent. */
	remove(prefix: string): Promise<void>;
	/** The file or folder behind a key, whether it exists or not. */
	path(key: string): string;
	freeBytes(): Promise<number>;
};
