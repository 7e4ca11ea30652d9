import { useComputed } from '@preact/signals';
import type { JobResource } from '@steelyard/contracts';
import { useLoading } from '../loading.js';
import { client } from '../session.js';
import { useAgain } from '../use-again.js';

/** Milliseconds between two looks at the jobs. */
const EVERY = 2000;
/** The most jobs of a kind that are looked at. */
const MOST = 100;

/** The jobs of the project that have not ended, and the last ones that have; null before they are known. `again` asks anew. */
export function useJobs(): { jobs: readonly JobResource[] | null; error: Error | null; again: () => void } {
	const loading = useLoading(async () => {
		const { jobs } = client.value;
		const [open, ended] = await Promise.all([
			jobs.list({ limit: MOST, status: ['queued', 'running', 'paused'] }),
			jobs.list({ limit: 20, status: ['succeeded', 'failed', 'cancelled'] }),
		]);
		return [...open.data, ...ended.data];
	});
	useAgain(loading, EVERY);
	const known = useComputed(() => ({ jobs: loading.value.value, error: loading.value.error, again: () => loading.again() }));
	return known.value;
}
