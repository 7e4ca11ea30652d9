import type { Readable } from 'node:stream';
import type { Digest } from './digest.js';
import type { StoreFiles } from './files/files.js';

/** An object, or a folder, whose key ends in `/` and which has no bytes of its own. */
export type StoredEntry = { key: string; bytes: number; modified: Date };

export type StoredObject = { bytes: number; modified: Date };

/**
 * Bytes by key. A key is one or more names joined by `/`, such as `jobs/job_…/job.json` (see layout.ts); a prefix is a key that stands for all keys that
 * begin with it and a `/`. A reader sees a whole object or none, also when a writer is killed.
 *
 * Every method rejects with InvalidKeyError for a key that could leave the store, and with ProblemError: `insufficient_storage` where no space is left,
 * `unavailable` where the place that keeps the bytes cannot be reached.
 */
export type Store = {
	/** Writes, replacing what was there. */
	put(key: string, content: Uint8Array | string | Readable): Promise<Digest>;
	/** Writes if the key is free; resolves with null where it is taken. Of several writers at once exactly one succeeds. */
	putExclusive(key: string, content: Uint8Array | string): Promise<Digest | null>;
	/** The whole object; null where it is absent. */
	get(key: string): Promise<Buffer | null>;
	stat(key: string): Promise<StoredObject | null>;
	/** Reads the object through for its digest; null where it is absent. */
	digest(key: string): Promise<Digest | null>;
	/** The bytes from `start` to `end`, both included and counted from 0; all of them unless given. Rejects with ProblemError `not_found`. */
	read(key: string, range?: { start?: number; end?: number }): Promise<Readable>;
	/** The keys below a prefix, in order. With `deep: false` only those directly below it, and the prefixes directly below it with a `/` at their end. */
	list(prefix: string, options?: { deep?: boolean }): Promise<string[]>;
	/** The objects and folders below a prefix with their sizes and times, in no order; what vanishes meanwhile is left out. */
	entries(prefix: string): Promise<StoredEntry[]>;
	/** What is being written at the moment, and what killed processes have left of that. */
	temporary(): Promise<StoredEntry[]>;
	/** Gives an object another key, replacing what is there. Nothing happens where there is none. */
	move(from: string, to: string): Promise<void>;
	/** Removes a key, or all keys below a prefix. Nothing happens where there is none. */
	remove(prefix: string): Promise<void>;
	/** A URL from which an object is downloaded as a file of the name `filename` for so many seconds, by whoever has it; null where the store has none to give. */
	presign(key: string, lease: { seconds: number; filename: string }): Promise<string | null>;
};

/** A store, and what it holds as files of this machine. */
export type ServiceStore = Store & { files: StoreFiles };

/** A store in a folder of this machine, whose objects are files that other programs can read, too. */
export type LocalStore = ServiceStore & {
	/** The file or folder behind a key, whether it exists or not. */
	path(key: string): string;
};
