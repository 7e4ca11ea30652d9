import { type Signal, signal } from '@preact/signals';
import type { Client } from '@steelyard/client';
import type { EpochPoint, JobCurves, JobEvent, JobResource, WeightsPoint } from '@steelyard/contracts';
import { hasEnded } from '../job-status.js';
import { connection } from '../live/connection-note.js';
import { noticeOf } from '../live/notices.js';

/** Milliseconds for which what happened is collected before the page changes. */
const COLLECTED = 100;

/** What the page knows of one job. */
export type JobView = {
	readonly job: Signal<JobResource | null>;
	readonly epochs: Signal<readonly EpochPoint[]>;
	readonly weights: Signal<readonly WeightsPoint[]>;
	/** The newest report of the trainer; null before the first. */
	readonly progress: Signal<Extract<JobEvent, { type: 'progress' }> | null>;
	readonly error: Signal<Error | null>;
};

const epochKey = ({ stage, model, epoch }: EpochPoint): string => `${stage} ${model} ${epoch}`;

/** The points of both lists, each once, the later ones in the place of equal ones. A retried attempt may train an epoch again. */
export function merged<T>(before: readonly T[], after: readonly T[], keyOf: (point: T) => string | number): T[] {
	const points = new Map(before.map((point) => [keyOf(point), point]));
	for (const point of after) points.set(keyOf(point), point);
	return [...points.values()];
}

/** Nothing is known of a job yet. */
export const unknownJob = (): JobView => ({
	job: signal(null),
	epochs: signal([]),
	weights: signal([]),
	progress: signal(null),
	error: signal(null),
});

/**
 * Keeps what is known of a job up to date: its record, its curves, and what happens to it until it ends, or the signal is aborted. Events that come close
 * together change the page once. After an action on the job it is called anew.
 */
export function followJob(view: JobView, client: Client, id: string, left: AbortSignal): void {
	let pending: JobEvent[] = [];
	let timer: ReturnType<typeof setTimeout> | undefined;

	const reload = async (): Promise<void> => {
		const job = await client.jobs.get(id);
		if (left.aborted) return;
		view.job.value = job;
		noticeOf(job);
	};

	/** Puts what has happened into the view. */
	function apply(): void {
		timer = undefined;
		const events = pending;
		pending = [];
		if (left.aborted || events.length === 0) return;
		const epochs = events.filter((event) => event.type === 'epoch');
		const weights = events.filter((event) => event.type === 'weights');
		const progress = events.findLast((event) => event.type === 'progress');
		if (epochs.length > 0) view.epochs.value = merged(view.epochs.value, epochs, epochKey);
		if (weights.length > 0) view.weights.value = merged(view.weights.value, weights, ({ epoch }) => epoch);
		if (progress !== undefined) {
			view.progress.value = progress;
			const { value: job } = view.job;
			if (job !== null && job.status === 'running')
				view.job.value = {
					...job,
					...{ stage: progress.stage, progress: progress.progress, epoch: progress.epoch, step: progress.step },
					...{ eta_seconds: progress.eta_seconds, rows_per_second: progress.rows_per_second },
				};
		}
		// What these say in short, the record has in full.
		if (events.some(({ type }) => ['status', 'device', 'warning', 'waiting', 'stage'].includes(type))) reload().catch(fail);
	}

	function fail(error: Error): void {
		if (!left.aborted) view.error.value = error;
	}

	async function follow(): Promise<void> {
		await reload();
		view.error.value = null;
		const curves: JobCurves = await client.jobs.metrics(id);
		if (left.aborted) return;
		view.epochs.value = curves.epochs;
		view.weights.value = curves.weights;
		if (view.job.value === null || hasEnded(view.job.value)) return;
		const onConnection = (state: 'open' | 'lost'): void => {
			if (!left.aborted) connection.value = state;
		};
		for await (const event of client.jobs.events(id, { signal: left, attempts: Number.POSITIVE_INFINITY, onConnection } as Parameters<
			Client['jobs']['events']
		>[1])) {
			pending.push(event);
			timer ??= setTimeout(apply, COLLECTED);
		}
		clearTimeout(timer);
		apply();
		if (!left.aborted) await reload();
	}

	left.addEventListener('abort', () => {
		clearTimeout(timer);
		connection.value = 'idle';
	});
	follow().catch(fail);
}
