import type { Deliveries } from './deliveries.js';
import type { Records } from './records.js';

/** How many of a project's queued jobs are looked at together. */
const PAGE = 16;

/** Hands queued jobs over until one waits for a worker, or none may begin. */
export type Dispatch = () => Promise<void>;

type Parts = {
	records: Records;
	deliveries: Deliveries;
	/** The most jobs of a project that run at the same time; null for any number. */
	mostRunning: number | null;
};

/**
 * Opens the hand-over of queued jobs to BullMQ, which gets the next one when none waits there. All others wait in the records of their project, so that
 * what is next is decided as late as can be: it is the first job of the project that has the fewest running, of several the one whose last turn is longest
 * ago. It is to be called wherever a job comes to wait, begins or ends. Two processes that call it at once make two jobs wait; what a killed one has not
 * done, the next call does.
 */
export function openDispatch({ records, deliveries, mostRunning }: Parts): Dispatch {
	/** The first queued job of a project that BullMQ does not know; null where it knows all. */
	async function firstOf(project: string): Promise<string | null> {
		for (let from = 0; ; from += PAGE) {
			const ids = await records.queued(project, from, PAGE);
			const id = await deliveries.firstUnknown(ids);
			if (id !== null || ids.length < PAGE) return id;
		}
	}

	/** The project whose turn it is, with its next job; null where no job may begin. */
	async function next(): Promise<{ project: string; id: string } | null> {
		const shares = await records.shares();
		const open = shares.filter(({ queued, running }) => queued > 0 && (mostRunning === null || running < mostRunning));
		for (const { project } of open.sort((a, b) => a.running - b.running)) {
			const id = await firstOf(project);
			if (id !== null) return { project, id };
		}
		return null;
	}

	async function dispatch(): Promise<void> {
		const handed = new Set<string>();
		while ((await deliveries.waiting()) === 0) {
			const found = await next();
			// A job that a worker did not begin, because as many of its project run as may, is unknown to BullMQ again.
			if (found === null || handed.has(found.id)) return;
			handed.add(found.id);
			await records.takeTurn(found.project);
			await deliveries.add(found.id);
		}
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
