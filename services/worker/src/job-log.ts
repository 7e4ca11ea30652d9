import type { JobEventBody, JobLogLine, StoredLogLine } from '@steelyard/contracts';
import type { AttemptEnd } from '@steelyard/queue';
import { jobKeys, type ServiceStore } from '@steelyard/store';
import type { Logger } from 'pino';
import { withoutPathsOf } from './without-paths.js';

type Level = JobLogLine['level'];
type Source = JobLogLine['source'];

/** The most bytes of the log of an attempt, and how many of them a trainer leaves for what the worker says of it. */
const MOST = 1024 ** 2;
const RESERVED = 64 * 1024;
/** The most characters of one message. */
const LONGEST = 2000;

/** The log of one attempt, as its user reads it. */
export type JobLog = {
	/** Takes a line, and returns before it is written. */
	write(level: Level, source: Source, message: string): void;
	/** Resolves when everything is written that can be. */
	close(): Promise<void>;
};

export type JobLogOptions = { store: Pick<ServiceStore, 'files'>; id: string; attempt: number; log: Logger; most?: number };

/**
 * Opens the log of an attempt, a file of at most `most` bytes, 1 MiB unless given. Lines for which there is no room, in the file or on the disk, are lost and
 * never waited for. A message has no path of the machine and no control characters, since it is shown in terminals.
 */
export function openJobLog({ store, id, attempt, log, most = MOST }: JobLogOptions): JobLog {
	const file = store.files.openAppender(jobKeys.log(id, attempt));
	const reserved = Math.min(RESERVED, most / 2);
	let bytes = 0;
	let full = false;
	let pending = '';
	let torn = false;
	let writing: Promise<void> | null = null;

	async function writePending(): Promise<void> {
		while (pending !== '') {
			// After a part of a line the next begins on one of its own.
			const text = torn ? `\n${pending}` : pending;
			pending = '';
			try {
				await file.add(text);
				torn = false;
			} catch (error) {
				if (!torn) log.warn({ err: error }, 'lines of the log of the job could not be written');
				torn = true;
			}
		}
		writing = null;
	}
	/** Takes a line if the file then has at most `limit` bytes; tells whether it did. */
	function take(line: StoredLogLine, limit: number): boolean {
		const text = `${JSON.stringify(line)}\n`;
		const length = Buffer.byteLength(text);
		if (bytes + length > limit) return false;
		bytes += length;
		pending += text;
		writing ??= writePending();
		return true;
	}
	function write(level: Level, source: Source, message: string): void {
		const cut = message.length > LONGEST ? `${message.slice(0, LONGEST)}…` : message;
		// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is left out
		const plain = withoutPathsOf(store, cut).replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
		const limit = source === 'worker' ? most : most - reserved;
		if ((full && source !== 'worker') || take({ at: Date.now(), level, source, message: plain }, limit)) return;
		if (full) return;
		full = true;
		write('warn', 'worker', `the log of this attempt is full (${most} bytes): what its trainer writes from here on is left out`);
	}
	return {
		write,
		async close() {
			while (writing !== null) await writing;
			await file.close();
		},
	};
}

/** Writes what an event says that belongs in a log: progress and the figures of epochs do not. */
export function logEvent({ write }: JobLog, event: JobEventBody): void {
	if (event.type === 'stage') write('info', 'worker', `stage ${event.stage}`);
	else if (event.type === 'device') write('info', 'worker', `trains on ${event.provider}${event.note === null ? '' : `: ${event.note}`}`);
	else if (event.type === 'warning') write('warn', 'worker', `${event.code}: ${event.message} ${event.advice}`);
	else if (event.type === 'waiting')
		write(event.reason === null ? 'info' : 'warn', 'worker', event.reason === null ? 'goes on' : `waits: ${event.reason.message}`);
}

/** Writes how an attempt ended. `reason`: why it was asked to stop; null where it was not. */
export function logEnd({ write }: JobLog, end: AttemptEnd, reason: string | null): void {
	if (end.status === 'succeeded')
		write('info', 'worker', reason === null ? 'the attempt succeeded' : `the attempt was done when it was to stop: ${reason}`);
	else if (end.status === 'stopped') write('info', 'worker', `the attempt stopped: ${reason ?? 'nobody asked it to'}`);
	else write('error', 'worker', `the attempt failed (${end.error.code}): ${end.error.message}`);
}
