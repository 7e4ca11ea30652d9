import type { JobResource } from '@steelyard/contracts';
import { useLoading } from '../loading.js';
import { client } from '../session.js';
import type { JobView } from './job-view.js';

/** What every part of the page of a job is given. */
export type TabProps = { readonly view: JobView; readonly job: JobResource };

/** Fetches an artifact of JSON; null where the job has none of that name. */
export function useArtifact<T>(job: JobResource, name: string) {
	const { id } = job;
	const isThere = job.artifacts.some((artifact) => artifact.name === name);
	return useLoading<T | null>(async (signal) =>
		isThere ? ((await (await client.value.jobs.download(id, name, { signal })).json()) as T) : null,
	);
}
