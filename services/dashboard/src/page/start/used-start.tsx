import type { Readiness, Usage } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { bytes, count } from '../format.js';
import { DiskUse } from '../parts/disk-use.js';
import { PageTitle } from '../parts/page-title.js';
import { Problem } from '../parts/problem.js';
import { Workers } from '../parts/workers.js';
import { EndedJobs, jobName, QueuedJobs, RunningJobs } from './job-tables.js';
import { useJobs } from './jobs-now.js';
import { orderOf } from './order.js';

/** How many jobs that have ended are shown. */
const LAST = 8;

/** Why jobs wait. */
const reasonOf = ({ workers, redis }: Readiness, running: number): string =>
	!redis.ok
		? 'Jobs wait because Redis does not answer.'
		: workers.length === 0
			? 'Jobs wait because no worker is alive.'
			: running === 0
				? 'The first one is about to begin, or the workers are busy with jobs of other projects.'
				: `The workers are busy with ${count(running, 'job')}. The next job begins when one has ended.`;

/** What goes on in a service that is in use. `usage` is null for keys that may not see it. */
export function UsedStart({ ready, usage }: { ready: Readiness; usage: Usage | null }): VNode {
	const { jobs, error, again } = useJobs();
	const { running, queued, paused, ended } = orderOf(jobs ?? []);
	const nameOf = (id: string): string | undefined => {
		const job = running.find((one) => one.id === id);
		return job === undefined ? undefined : jobName(job);
	};
	const tiles: readonly [number | string, string][] = [
		[running.length, running.length === 1 ? 'job runs' : 'jobs run'],
		[queued.length, queued.length === 1 ? 'job waits' : 'jobs wait'],
		...(paused.length > 0 ? ([[paused.length, paused.length === 1 ? 'job is paused' : 'jobs are paused']] as [number, string][]) : []),
		[ready.workers.length, ready.workers.length === 1 ? 'worker' : 'workers'],
		[bytes(ready.store.free_bytes), 'free on the disk'],
	];
	return (
		<>
			<PageTitle title="Start">
				<a class="button primary" href="#/jobs/new">
					New job
				</a>
				<a class="button" href="#/data/new">
					Upload data
				</a>
			</PageTitle>
			{error !== null && <Problem error={error} title="The jobs could not be listed" again={again} />}
			{[ready.redis.note, ready.store.note].map(
				(note) =>
					note !== null && (
						<p key={note} class={`note ${ready.ready ? 'warn' : 'bad'}`}>
							{note}
						</p>
					),
			)}
			<div class="tiles">
				{tiles.map(([value, name]) => (
					<div key={name} class="tile">
						<b>{value}</b>
						<span>{name}</span>
					</div>
				))}
			</div>
			<section>
				<h2>Running</h2>
				{running.length > 0 ? <RunningJobs jobs={running} /> : <p class="quiet">{jobs === null ? 'Loading …' : 'Nothing runs.'}</p>}
			</section>
			{queued.length > 0 && (
				<section>
					<h2>Queue</h2>
					<QueuedJobs jobs={queued} why={reasonOf(ready, running.length)} />
				</section>
			)}
			{ended.length > 0 && (
				<section>
					<h2>Ended last</h2>
					<EndedJobs jobs={ended.slice(0, LAST)} />
					<p>
						<a href="#/jobs">All jobs</a>
					</p>
				</section>
			)}
			<section>
				<h2>Workers</h2>
				<Workers workers={ready.workers} nameOf={nameOf} />
			</section>
			{usage !== null && (
				<section>
					<h2>Disk</h2>
					<DiskUse usage={usage} />
				</section>
			)}
		</>
	);
}
