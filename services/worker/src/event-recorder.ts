import type { JobEventBody } from '@steelyard/contracts';
import type { JobPatch, Queue } from '@steelyard/queue';
import type { Logger } from 'pino';

type Progress = Extract<JobEventBody, { type: 'progress' }>;

/** What an event says of the job itself. */
function patchOf(event: JobEventBody): JobPatch {
	switch (event.type) {
		case 'device':
			return { device: { provider: event.provider, note: event.note } };
		case 'stage':
			return { stage: event.stage };
		case 'progress':
			return { stage: event.stage, progress: event.progress, epoch: event.epoch, step: event.step, eta_seconds: event.eta_seconds };
		case 'epoch':
			return { metrics: event.validation };
		case 'weights':
			return { modality_weights: event.modality_weights };
		case 'status':
			return {};
	}
}

export type EventRecorder = {
	/** Takes the next event; never waits. */
	record(event: JobEventBody): void;
	/** Writes what is still held back; resolves when all is written. */
	close(): Promise<void>;
};

export type EventRecorderOptions = {
	queue: Pick<Queue, 'jobs' | 'events'>;
	id: string;
	attempt: number;
	log: Logger;
	/** Least time between two progress events and between two updates of the record by them, in milliseconds. */
	interval?: number;
};

/**
 * Writes what happens in an attempt to the job's events and to its record, in order. Progress is thinned out, for a small model makes
 * hundreds of chunks a second; of what it says only the newest counts. Everything else is written as it comes.
 */
export function recordEvents({ queue, id, attempt, log, interval = 250 }: EventRecorderOptions): EventRecorder {
	let written: Promise<unknown> = Promise.resolve();
	const write = (what: () => Promise<unknown>) => {
		written = written.then(what).catch((error: unknown) => log.error({ err: error }, 'an event could not be recorded'));
	};

	let held: Progress | null = null;
	let progressAt = Number.NEGATIVE_INFINITY;
	let progressTimer: NodeJS.Timeout | undefined;
	const append = (event: JobEventBody) => write(() => queue.events.append(id, event));
	const releaseProgress = () => {
		clearTimeout(progressTimer);
		progressTimer = undefined;
		if (held === null) return;
		append(held);
		held = null;
		progressAt = performance.now();
	};
	const thinOut = (event: Progress) => {
		held = event;
		const wait = progressAt + interval - performance.now();
		if (wait <= 0) releaseProgress();
		else progressTimer ??= setTimeout(releaseProgress, wait);
	};

	let patch: JobPatch = {};
	let patchedAt = Number.NEGATIVE_INFINITY;
	let patchTimer: NodeJS.Timeout | undefined;
	const releasePatch = () => {
		clearTimeout(patchTimer);
		patchTimer = undefined;
		if (Object.keys(patch).length === 0) return;
		const now = patch;
		patch = {};
		patchedAt = performance.now();
		write(() => queue.jobs.update(id, now, attempt));
	};
	const update = (event: JobEventBody) => {
		patch = { ...patch, ...patchOf(event) };
		const wait = patchedAt + interval - performance.now();
		if (wait <= 0 || event.type === 'stage' || event.type === 'device') releasePatch();
		else patchTimer ??= setTimeout(releasePatch, wait);
	};

	return {
		record(event) {
			// Before the event: who hears of it and asks for the job finds it there.
			update(event);
			if (event.type === 'progress') return thinOut(event);
			// What was held back is older than this event and says less.
			held = null;
			append(event);
		},
		async close() {
			releaseProgress();
			releasePatch();
			await written;
		},
	};
}
