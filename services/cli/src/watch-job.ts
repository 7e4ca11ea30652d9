import type { Client } from '@steelyard/client';
import type { JobResource } from '@steelyard/contracts';
import { jobText } from './job-text.js';
import { EXIT, print } from './output.js';
import { progressOn } from './progress.js';

/** Shows a job until it ends; Ctrl-C leaves it running. Resolves with the exit code. */
export async function watchJob(client: Client, watched: JobResource, json: boolean): Promise<number> {
	const { id } = watched;
	const leaving = new AbortController();
	const leave = (): void => leaving.abort();
	process.once('SIGINT', leave);
	try {
		await progressOn(process.stderr).follow(watched, client.jobs.events(id, { signal: leaving.signal }));
	} finally {
		process.off('SIGINT', leave);
	}
	const job = await client.jobs.get(id);
	const goesOn = job.finished_at === null;
	if (goesOn) process.stderr.write(`${id} goes on; watch it again by: npx steelyard jobs watch ${id}\n`);
	print(json, job, jobText(job));
	return goesOn ? 130 : job.status === 'succeeded' ? EXIT.done : EXIT.failed;
}
