import type { JobEventBody, Measured } from '@steelyard/contracts';
import type { JobPatch, Queue } from '@steelyard/queue';
import type { Logger } from 'pino';

type Progress = Extract<JobEventBody, { type: 'progress' }>;

/** The fields of the job's record that an event changes. */
function patchOf(event: JobEventBody): JobPatch {
	switch (event.type) {
		case 'device':
			return { device: { provider: event.provider, note: event.note } };
		case 'stage':
			return { stage: event.stage };
		case 'progress':
			return {
				stage: event.stage,
				progress: event.progress,
				epoch: event.epoch,
				step: event.step,
				eta_seconds: event.eta_seconds,
				rows_per_second: event.rows_per_second,
			};
		case 'epoch':
			return { metrics: event.validation };
		case 'weights':
			return { modality_weights: event.modality_weights };
		case 'waiting':
			return { waiting: event.reason };
		case 'status':
		case 'warning':
			return {};
	}
}

/** Writes the events of one attempt. */
export type EventRecorder = {
	/** Takes the next event, and returns before it is written. */
	record(event: JobEventBody): void;
	/** Takes what the trainer measures of itself, for the record alone. */
	note(measured: Measured): void;
	/** Writes what is still held back, and resolves when everything is written. */
	close(): Promise<void>;
};

export type EventRecorderOptions = {
	queue: Pick<Queue, 'jobs' | 'events'>;
	id: string;
	attempt: number;
	log: Logger;
	/** The least time between two progress events, and between two updates of the record, in milliseconds. */
	interval?: number;
};

/**
 * Writes what happens in an attempt to the events of the job and to its record, in order. A small model reports progress hundreds of times a second, so
 * of several reports within an interval only the newest is written. Every other event is written as it comes. The record shows what the last events said;
 * once the job has succeeded, the figures of the chosen model replace them.
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
	const update = (more: JobPatch, atOnce: boolean) => {
		patch = { ...patch, ...more };
		const wait = patchedAt + interval - performance.now();
		if (wait <= 0 || atOnce) releasePatch();
		else patchTimer ??= setTimeout(releasePatch, wait);
	};

	return {
		record(event) {
			// The record is updated before the event is written, so that a client which sees the event and asks for the job finds both in step.
			update(patchOf(event), event.type === 'stage' || event.type === 'device' || event.type === 'waiting');
			if (event.type === 'progress') return thinOut(event);
			// The progress that was held back is older than this event, so nobody needs it any more.
			held = null;
			append(event);
		},
		note: (measured) => update({ measured }, false),
		async close() {
			releaseProgress();
			releasePatch();
			await written;
		},
	};
}
