import { computed, effect, type Signal, signal, untracked } from '@preact/signals';
import type { Client } from '@steelyard/client';
import type { JobResource } from '@steelyard/contracts';
import { client } from '../session.js';
import { connection } from './connection-note.js';
import { hasNotices, noticeOf } from './notices.js';
import { isVisible } from './visibility.js';

/** Jobs that one request lists. */
const PAGE = 100;
/** Milliseconds for which changes are collected before lists are sorted anew. */
const COLLECTED = 200;

const byId = new Map<string, Signal<JobResource>>();
const version = signal(0);
const failure = signal<Error | null>(null);
const isLoaded = signal(false);

/** All jobs of the project, the newest first. Each is a signal, so that what shows one job changes alone. */
export const jobs = computed<readonly Signal<JobResource>[]>(() => {
	void version.value;
	return [...byId.keys()]
		.sort()
		.reverse()
		.map((id) => byId.get(id) as Signal<JobResource>);
});

/** A job as it is now; null where it is not known. Whoever reads it is told of its changes. */
export function jobWith(id: string): JobResource | null {
	void version.value;
	return byId.get(id)?.value ?? null;
}

/** What tells when jobs of sweeps begin, go on or end, of one sweep or of all: a text that is then another one. */
export const sweepTurns = (sweep: string | null): string =>
	jobs.value
		.flatMap(({ value: { id, sweep: of, status } }) => (of === undefined || (sweep !== null && of.id !== sweep) ? [] : `${id} ${status}`))
		.join('\n');

/** Why the jobs are not known; null where they are. */
export const jobsError = computed(() => failure.value);
/** Whether all jobs have been listed. */
export const jobsLoaded = computed(() => isLoaded.value);

let collecting: ReturnType<typeof setTimeout> | undefined;
function changed(): void {
	collecting ??= setTimeout(() => {
		collecting = undefined;
		version.value++;
	}, COLLECTED);
}

function put(job: JobResource): void {
	const known = byId.get(job.id);
	if (known === undefined) byId.set(job.id, signal(job));
	else known.value = job;
	noticeOf(job);
	changed();
}

/** Lists all jobs, page by page, and forgets those that are not listed. */
async function load(from: Client, left: AbortSignal): Promise<void> {
	const gone = new Set(byId.keys());
	let after: string | null | undefined;
	do {
		const page = await from.jobs.list({ limit: PAGE, ...(typeof after === 'string' ? { after } : {}) });
		if (left.aborted) return;
		for (const job of page.data) {
			gone.delete(job.id);
			put(job);
		}
		after = page.next;
	} while (after !== null);
	for (const id of gone) byId.delete(id);
	isLoaded.value = true;
	changed();
}

async function follow(from: Client, left: AbortSignal): Promise<void> {
	const onConnection = (state: 'open' | 'lost'): void => {
		if (!left.aborted) connection.value = state;
	};
	// What changes while jobs are listed waits in the stream, and is put on top of the list.
	for await (const change of from.jobs.watch({ signal: left, attempts: Number.POSITIVE_INFINITY, onConnection })) {
		if (change.type === 'reset') await load(from, left);
		else if (change.type === 'changed') put(change.job);
		else if (byId.delete(change.id)) changed();
		failure.value = null;
	}
}

let watchers = 0;
const isWatched = signal(false);
/** Whether there is a connection: for whoever sees the jobs, or waits to be told of one. */
const isFollowed = computed(() => (isWatched.value && isVisible.value) || hasNotices.value);

/** Forgets the jobs that another key, or another project, has shown. */
effect(() => {
	void client.value;
	untracked(() => {
		isLoaded.value = false;
		byId.clear();
		version.value++;
	});
});

effect(() => {
	if (!isFollowed.value) return;
	const from = client.value;
	const left = new AbortController();
	untracked(() => {
		failure.value = null;
	});
	follow(from, left.signal).catch((error: Error) => {
		if (!left.signal.aborted) failure.value = error;
	});
	return () => {
		left.abort();
		connection.value = 'idle';
	};
});

/** Keeps the jobs live until the function that it gives is called; while nobody watches there is no connection. */
export function watchJobs(): () => void {
	watchers++;
	isWatched.value = true;
	return () => {
		watchers--;
		// A page that is left is often followed by one that watches too.
		setTimeout(() => {
			if (watchers === 0) isWatched.value = false;
		}, 1000);
	};
}

/** Tries to list the jobs once more after an error. */
export function retryJobs(): void {
	isWatched.value = false;
	isWatched.value = watchers > 0;
}
