import { isFinal, isId, ProblemError, type Retention, type RetentionReason } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import { jobKeys, type Store } from '@steelyard/store';
import { bytesOf } from '../resources/bytes-of.js';
import { type EndedJob, findOrphans, type Orphan } from './orphans.js';

/** For how long, how many and how many bytes of jobs that have ended are kept; null for any. */
export type RetentionLimits = { days: number | null; count: number | null; bytes: number | null };

/** How many of a list an answer shows. */
const SHOWN = 100;
const DAY = 24 * 60 * 60;

type Outlived = { id: string; reason: RetentionReason; bytes: number };

/** The jobs of all projects that have ended, by their ids. */
async function endedJobs(queue: Queue): Promise<Map<string, EndedJob>> {
	const ended = new Map<string, EndedJob>();
	for (const project of await queue.jobs.projects()) {
		let after: string | undefined;
		do {
			const page = await queue.jobs.list({ project, limit: 100, ...(after === undefined ? {} : { after }) });
			for (const { id, status, attempt, created_at, finished_at, sweep } of page.data)
				if (isFinal(status)) ended.set(id, { id, status, attempt, created_at, finished_at, ...(sweep && { sweep }) });
			after = page.has_more ? page.data.at(-1)?.id : undefined;
		} while (after !== undefined);
	}
	return ended;
}

/** The jobs that the limits leave no room for; those that ended last are kept first. */
async function outlived(store: Store, jobs: Iterable<EndedJob>, limits: RetentionLimits, now: number): Promise<Outlived[]> {
	const { days, count, bytes: most } = limits;
	if (days === null && count === null && most === null) return [];
	const endOf = ({ finished_at, created_at }: EndedJob): number => finished_at ?? created_at;
	const found: Outlived[] = [];
	let kept = 0;
	let keptBytes = 0;
	for (const job of [...jobs].sort((a, b) => endOf(b) - endOf(a) || (a.id < b.id ? 1 : -1))) {
		const bytes = bytesOf(await store.entries(jobKeys.folder(job.id)));
		const reason =
			days !== null && endOf(job) < now / 1000 - days * DAY
				? 'age'
				: count !== null && kept >= count
					? 'count'
					: most !== null && keptBytes + bytes > most
						? 'bytes'
						: null;
		if (reason !== null) found.push({ id: job.id, reason, bytes });
		else {
			kept++;
			keptBytes += bytes;
		}
	}
	return found;
}

const together = (parts: readonly { bytes: number }[]) => ({
	count: parts.length,
	bytes: bytesOf(parts),
});

/** The sweeps of jobs that have not ended: they may train any of their trials further, from the state that its job has kept. */
async function openSweeps(queue: Queue, jobs: Iterable<EndedJob>): Promise<Set<string>> {
	const open = new Set<string>();
	for (const id of new Set([...jobs].flatMap(({ sweep }) => sweep?.id ?? []))) if (await queue.sweeps.isOpen(id)) open.add(id);
	return open;
}

/** Removes a job, also where another process has just done so; not where a job was posted meanwhile that uses it. */
async function removeJob(queue: Queue, id: string): Promise<void> {
	await queue.jobs.remove(id).catch((error: unknown) => {
		if (!(error instanceof ProblemError && ['not_found', 'job_in_use'].includes(error.code))) throw error;
	});
}

/** Removes the jobs that have ended, that no other one uses, nor a sweep that goes on, and that the limits leave no room for, and what interrupted processes have left; in a dry run only says which these are. */
export async function retain(
	{ store, queue, limits }: { store: Store; queue: Queue; limits: RetentionLimits },
	{ dryRun = false, now = Date.now() }: { dryRun?: boolean; now?: number } = {},
): Promise<Retention> {
	const ended = await endedJobs(queue);
	const jobs: Outlived[] = [];
	const open = await openSweeps(queue, ended.values());
	for (const job of await outlived(store, ended.values(), limits, now)) {
		const sweep = ended.get(job.id)?.sweep?.id;
		const isNeeded = (sweep !== undefined && open.has(sweep)) || (await queue.jobs.countUsing(job.id)) > 0;
		if (!isNeeded) jobs.push(job);
	}
	for (const { id } of jobs) ended.delete(id);
	const gone = new Set(jobs.map(({ id }) => id));
	const isKnown = async (id: string) => gone.has(id) || !isId('job', id) || (await queue.jobs.get(id)) !== null;
	const orphans: Orphan[] = await findOrphans(store, ended, isKnown, now);
	if (!dryRun) {
		for (const { id } of jobs) await removeJob(queue, id);
		for (const { key } of orphans) await store.remove(key);
	}
	return {
		object: 'retention',
		dry_run: dryRun,
		jobs: { ...together(jobs), first: jobs.slice(0, SHOWN) },
		orphans: { ...together(orphans), first: orphans.slice(0, SHOWN) },
	};
}
