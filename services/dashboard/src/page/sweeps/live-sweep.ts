import { type ReadonlySignal, useComputed } from '@preact/signals';
import type { SweepResource } from '@steelyard/contracts';
import { useEffect } from 'preact/hooks';
import { jobs, sweepTurns, watchJobs } from '../live/jobs.js';
import { type Loading, useLoading } from '../loading.js';
import { client } from '../session.js';
import { useAgain } from '../use-again.js';

/** Milliseconds between two looks at what no job tells: that a sweep was paused, or has ended. */
const EVERY = 3000;

/** A sweep, read anew as soon as one of its jobs begins or ends, and whether its jobs are being cancelled. */
export function useSweep(id: string): {
	sweep: ReadonlySignal<Loading<SweepResource>> & { again(): void };
	isStopping: ReadonlySignal<boolean>;
} {
	useEffect(watchJobs, []);
	const turns = useComputed(() => sweepTurns(id));
	const sweep = useLoading(async () => {
		void turns.value;
		return client.value.sweeps.get(id);
	});
	useAgain(sweep, EVERY);
	const isStopping = useComputed(() => {
		const { value } = sweep.value;
		if (value === null || value.finished_at !== null) return false;
		const open = jobs.value.map((job) => job.value).filter((job) => job.sweep?.id === id && ['queued', 'running'].includes(job.status));
		return open.length > 0 && open.every((job) => job.cancel_requested);
	});
	return { sweep, isStopping };
}

/** A page of the list of sweeps, read anew as soon as a job of one begins or ends. */
export function useSweeps(after: ReadonlySignal<string | null>, limit: number) {
	useEffect(watchJobs, []);
	const turns = useComputed(() => sweepTurns(null));
	const page = useLoading(() => {
		void turns.value;
		return client.value.sweeps.list({ limit, ...(after.value === null ? {} : { after: after.value }) });
	});
	useAgain(page, EVERY);
	return page;
}
