import type { JobResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { duration, figure, moment, shortId } from '../format.js';
import { Status } from '../parts/status.js';
import { mainMetric } from './order.js';

export const jobName = ({ spec, id }: JobResource): string => spec.name ?? shortId(id);

/** A job by its name, which leads to its page. */
export const JobLink = ({ job }: { job: JobResource }): VNode => <a href={`#/jobs/${job.id}`}>{jobName(job)}</a>;

/** Jobs that run, with how far they are. */
export function RunningJobs({ jobs }: { jobs: readonly JobResource[] }): VNode {
	return (
		<ul class="cards running-jobs">
			{jobs.map((job) => (
				<li key={job.id} class="card">
					<p>
						<JobLink job={job} /> <Status job={job} />
					</p>
					<progress value={job.progress} max={1} aria-label={`Progress of ${jobName(job)}`} />
					<p class="hint">
						{[
							job.stage,
							job.epoch === null ? null : `epoch ${job.epoch + 1}`,
							job.device?.provider ?? null,
							job.eta_seconds === null ? null : `about ${duration(job.eta_seconds)} left`,
						]
							.filter((part) => part !== null)
							.join(' · ')}
					</p>
					{job.waiting !== null && job.waiting !== undefined && <p class="field-error">Waits: {job.waiting.message}</p>}
				</li>
			))}
		</ul>
	);
}

/** Jobs that wait, in the order in which they will begin. */
export function QueuedJobs({ jobs, why }: { jobs: readonly JobResource[]; why: string }): VNode {
	return (
		<>
			<p class="hint">{why}</p>
			{/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so that it has to be reached by keyboard */}
			<section class="scroll" tabIndex={0} aria-label="Queued jobs">
				<table>
					<thead>
						<tr>
							<th>Position</th>
							<th>Job</th>
							<th>Waits since</th>
							<th class="number">Priority</th>
						</tr>
					</thead>
					<tbody>
						{jobs.map((job, i) => (
							<tr key={job.id}>
								<td>{i + 1}</td>
								<td>
									<JobLink job={job} />
								</td>
								<td>{moment(job.created_at)}</td>
								<td class="number">{job.spec.priority ?? 0}</td>
							</tr>
						))}
					</tbody>
				</table>
			</section>
		</>
	);
}

/** Jobs that have ended, with what they are judged by. */
export function EndedJobs({ jobs }: { jobs: readonly JobResource[] }): VNode {
	return (
		// biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so that it has to be reached by keyboard
		<section class="scroll" tabIndex={0} aria-label="Jobs that ended last">
			<table>
				<thead>
					<tr>
						<th>Job</th>
						<th>Status</th>
						<th class="number">Result</th>
						<th>Weighting</th>
						<th class="number">Took</th>
						<th>Ended</th>
					</tr>
				</thead>
				<tbody>
					{jobs.map((job) => {
						const metric = mainMetric(job);
						return (
							<tr key={job.id}>
								<td>
									<JobLink job={job} />
								</td>
								<td>
									<Status job={job} />
								</td>
								<td class="number">{metric === null ? '–' : `${metric.split} ${metric.name} ${figure(metric.value)}`}</td>
								<td>{job.spec.weighting.preset}</td>
								<td class="number">{duration(job.result?.seconds)}</td>
								<td>{moment(job.finished_at)}</td>
							</tr>
						);
					})}
				</tbody>
			</table>
		</section>
	);
}
