import { fits, needsIn } from '@steelyard/contracts';
import type { JobDeliveries } from './deliveries.js';
import type { Placements, Unplaced } from './placements.js';
import type { Pool, Pools } from './pools.js';
import type { Reclaim } from './reclaim.js';
import type { Records } from './records.js';

/** Hands queued jobs over until no worker is free that could run one, or none may begin. */
export type Dispatch = () => Promise<void>;

type Parts = {
	records: Records;
	placements: Placements;
	pools: Pools;
	deliveries: JobDeliveries;
	reclaim: Reclaim;
	/** The most jobs of a project that run at the same time; null for any number. */
	mostRunning: number | null;
};

/**
 * Opens the hand-over of queued jobs to BullMQ, which has a queue for each pool: the workers that have the same. A pool gets a job when one of its workers is free. All others wait in the
 * records of their project, so that what is next, and who runs it, is decided as late as can be: it is the first job, of those that the pool can run, of the project that has the fewest
 * running, of several the one whose last turn is longest ago. What waits for a busy worker all the same, because a worker has ended, is taken back, and so is what the queue of a pool
 * holds that has no worker any more. It is to be called wherever a job comes to wait, begins or ends. What a killed process has not done, the next call does.
 */
export function openDispatch({ records, placements, pools, deliveries, reclaim, mostRunning }: Parts): Dispatch {
	/** Of the jobs of a project that a pool can run, the first that no queue has; null where there is none. */
	async function firstOf(project: string, { abilities }: Pool): Promise<Unplaced | null> {
		const needs = (await placements.needsIn(project)).filter((text) => fits(needsIn(text), abilities));
		const found = await Promise.all(needs.map((text) => placements.firstOf(project, text)));
		const [first] = found.filter((one) => one !== null).sort((a, b) => a.place - b.place || (a.id < b.id ? -1 : 1));
		return first ?? null;
	}

	/** The next job for a pool; null where no job may begin there. */
	async function nextFor(pool: Pool): Promise<Unplaced | null> {
		const shares = await records.shares();
		const open = shares.filter(({ queued, running }) => queued > 0 && (mostRunning === null || running < mostRunning));
		for (const { project } of open.sort((a, b) => a.running - b.running)) {
			const found = await firstOf(project, pool);
			if (found !== null) return found;
		}
		return null;
	}

	async function fill(pool: Pool): Promise<void> {
		const { queue, slots } = pool;
		const handed = new Set<string>();
		for (;;) {
			const { waiting, active } = await deliveries.of(queue).load();
			const excess = Math.min(waiting, waiting + active - slots);
			if (excess > 0) await reclaim.from(queue, await deliveries.of(queue).lastOnes(excess));
			if (waiting + active >= slots) return;
			const found = await nextFor(pool);
			// A job that a worker did not begin, because as many of its project run as may, is in no queue again.
			if (found === null || handed.has(found.id)) return;
			handed.add(found.id);
			if (!(await placements.place(found, queue))) continue;
			await records.takeTurn(found.project);
			await deliveries.of(queue).add(found.id);
		}
	}

	async function dispatch(): Promise<void> {
		const { living, others } = await pools.look();
		for (const queue of others) await reclaim.abandoned(queue);
		for (const pool of living) await fill(pool);
	}

	let before: Promise<unknown> = Promise.resolve();
	let following: Promise<void> | null = null;
	// Calls that come while one is at work share the next, which sees what all of them have changed.
	return () => {
		following ??= before.then(() => {
			following = null;
			const dispatched = dispatch();
			before = dispatched.catch(() => {});
			return dispatched;
		});
		return following;
	};
}
