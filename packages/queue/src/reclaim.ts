import { nullWhereNewer } from '@steelyard/contracts';
import type { JobDeliveries } from './deliveries.js';
import type { Mirror } from './mirror.js';
import type { Placements } from './placements.js';
import type { Records } from './records.js';
import { givenUp, RETRIES, released, setBack, WORKER_LOST } from './status.js';

type Parts = { records: Records; placements: Placements; deliveries: JobDeliveries; mirror: Mirror };

export type Reclaim = {
	/** Takes a job out of its queue if no worker has it; with `held` also then, for a worker that is known to be dead. */
	withdraw(id: string, options?: { held?: boolean }): Promise<void>;
	/** Takes jobs out of a queue that no worker has, so that any worker can have them; returns how many. */
	from(queue: string, ids: readonly string[]): Promise<number>;
	/** Takes all jobs that no worker has out of a queue; returns how many. */
	abandoned(queue: string): Promise<number>;
	/** Queues a job again that runs by its record, and whose worker is gone, unless it has come no further too often; resolves with true where it did. */
	lost(id: string): Promise<boolean>;
};

/** Opens the taking back of jobs that were handed to BullMQ. A process that is killed meanwhile leaves a job that names a queue which does not have it, and which is found so. */
export function openReclaim({ records, placements, deliveries, mirror }: Parts): Reclaim {
	async function withdraw(id: string, options?: { held?: boolean }): Promise<void> {
		const queue = await placements.queueOf(id);
		if (await deliveries.of(queue).withdraw(id, options)) await placements.unplace(id, queue);
	}

	async function lost(id: string): Promise<boolean> {
		const after = await records
			.change(id, (found) => {
				if (found.status !== 'running') return null;
				const job = setBack(found);
				return givenUp(job, WORKER_LOST, RETRIES) ?? released(job);
			})
			.catch(nullWhereNewer);
		await mirror.follow(after);
		return after?.status === 'queued';
	}

	async function from(queue: string, ids: readonly string[]): Promise<number> {
		let taken = 0;
		for (const id of ids) {
			if (!(await deliveries.of(queue).withdraw(id))) continue;
			// Where another queue may deliver it meanwhile, its state is that one's.
			const isOwn = (await placements.queueOf(id)) === queue;
			await placements.unplace(id, queue);
			if (isOwn) await lost(id);
			taken++;
		}
		return taken;
	}

	return { withdraw, from, abandoned: async (queue) => from(queue, await deliveries.of(queue).abandoned()), lost };
}
