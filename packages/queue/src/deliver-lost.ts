import { abilitiesIn } from '@steelyard/contracts';
import type { JobDeliveries } from './deliveries.js';
import type { Dispatch } from './dispatch.js';
import { FORMER_QUEUE, type Placements } from './placements.js';
import { type Pools, queueOf } from './pools.js';
import type { Reclaim } from './reclaim.js';
import type { Records } from './records.js';

type Parts = { records: Records; placements: Placements; pools: Pools; deliveries: JobDeliveries; reclaim: Reclaim; dispatch: Dispatch };

/**
 * Queues again the jobs that run by their records and that BullMQ does not know, whose workers are gone, and what a worker of a version left that had one queue for all; forgets what no
 * worker had for a day; and hands over what is next. Returns how many were lost.
 */
export async function deliverLost({ records, placements, pools, deliveries, reclaim, dispatch }: Parts): Promise<number> {
	const read = async (ids: readonly string[]) => (await records.findAll(ids)).map(({ record }) => record);
	for (const project of await records.projects()) await placements.mend(project, read);
	let lost = await reclaim.abandoned(FORMER_QUEUE);
	for (const id of await records.withStatus('running')) {
		if (await placements.isHeld(id)) continue;
		if (await reclaim.lost(id)) lost++;
	}
	await dispatch();
	for (const abilities of (await pools.look()).forgotten)
		if ((await deliveries.of(queueOf(abilitiesIn(abilities))).held()) === 0) await pools.forget(abilities);
	return lost;
}
