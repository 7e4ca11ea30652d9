import type { Digest } from '../digest.js';
import type { Patience } from '../when-possible.js';

/** A folder in which a program writes what an attempt of a job makes. */
export type AttemptFolder = {
	/** Its path. It is there, and this attempt alone writes in it. */
	path: string;
	/** The folders of the attempts before it whose checkpoints it may go on from, newest first. */
	earlier: readonly string[];
	/** Sees that a file of the folder is in the store, and durable there. Rejects where it is absent, and with ProblemError where the store cannot be written. */
	keep(name: string): Promise<Digest>;
	/** Ends the work in the folder, where `resumable` with its newest checkpoint in the store; where the store cannot be written that is told, and not thrown. */
	close(resumable: boolean): Promise<void>;
};

/** A file of the store that grows by lines. */
export type Appender = {
	/** Adds text. Rejects where the disk does not take it; a part of it may be written then. */
	add(text: string): Promise<void>;
	/** Resolves once all that was added is in the store. */
	flush(): Promise<void>;
	close(): Promise<void>;
};

/**
 * What a store holds as files of this machine, for programs that read and write files. Where the store is a folder of this machine they are its own files; else copies, which are
 * kept as long as there is room. Nobody changes a file that is handed out for reading.
 */
export type StoreFiles = {
	/** The folders of this machine in which all of it lies; users are not shown their paths. */
	roots: readonly string[];
	/** The path of a folder of this machine for what is not whole yet: uploads while they arrive, and what is unpacked of them. It may have to be made. */
	uploads: string;
	/** Whether several processes may add to one file. Where not, each process has files of its own. */
	appendsTogether: boolean;
	/** The bytes of the disk on which all of it lies, and how many of them can still be written. */
	space(): Promise<{ free: number; total: number }>;
	/**
	 * Runs an action with the folder that holds the files directly below a prefix, such as a dataset. Throws ProblemError. With `patience` it waits while what has to be copied first cannot be;
	 * an abort ends that.
	 */
	withFolder<T>(prefix: string, action: (folder: string) => Promise<T>, patience?: Patience): Promise<T>;
	/** The same with one file, of which the digest is known; where that is null there is none, and the path is that of a file that is absent. */
	withFile<T>(key: string, digest: Digest | null, action: (path: string) => Promise<T>, patience?: Patience): Promise<T>;
	/** Gives the files of a folder their keys below a prefix. The one named `record`, without which nobody sees the others, appears last. The folder may be gone afterwards. */
	publish(folder: string, prefix: string, record: string): Promise<void>;
	/** Replaces a file below a prefix that was published. */
	replace(prefix: string, name: string, path: string): Promise<void>;
	/** Opens the folder of an attempt of a job, counted from 1. `trouble` is told why a checkpoint could not be written to the store; it is tried again. */
	openAttempt(id: string, attempt: number, trouble: (error: unknown) => void): Promise<AttemptFolder>;
	/** Opens a file for adding to its end. */
	openAppender(key: string): Appender;
};
