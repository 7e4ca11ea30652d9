import { needsIn, needsOf, needsText } from '@steelyard/contracts';
import type { Placements } from './placements.js';
import type { Demand } from './queue.js';
import type { Records } from './records.js';

/** What the jobs of all projects that wait and run need of their workers. */
export async function demandOf(records: Records, placements: Placements): Promise<Demand[]> {
	const demands = new Map<string, Demand>();
	const of = (text: string): Demand => {
		const demand = demands.get(text) ?? { needs: needsIn(text), queued: 0, running: 0, oldest: null };
		demands.set(text, demand);
		return demand;
	};
	for (const { project, needs, count } of await placements.counts(await records.projects())) {
		const id = count === 0 ? null : await placements.oldest(project, needs);
		const created = id === null ? undefined : (await records.find(id))?.record.created_at;
		if (created === undefined) continue;
		const demand = of(needs);
		demand.queued += count;
		demand.oldest = Math.min(demand.oldest ?? created, created);
	}
	for (const { record } of await records.findAll(await records.withStatus('running'))) of(needsText(needsOf(record.spec))).running++;
	return [...demands.values()];
}
