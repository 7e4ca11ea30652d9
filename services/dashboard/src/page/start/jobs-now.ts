import { useComputed } from '@preact/signals';
import type { JobResource } from '@steelyard/contracts';
import { useEffect } from 'preact/hooks';
import { jobs, jobsError, jobsLoaded, retryJobs, watchJobs } from '../live/jobs.js';

/** The jobs of the project, live; null before they are known. `again` asks anew after an error. */
export function useJobs(): { jobs: readonly JobResource[] | null; error: Error | null; again: () => void } {
	useEffect(watchJobs, []);
	const known = useComputed(() => ({
		jobs: jobsLoaded.value ? jobs.value.map((job) => job.value) : null,
		error: jobsError.value,
		again: retryJobs,
	}));
	return known.value;
}
