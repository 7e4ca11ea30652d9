import { ProblemError } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import type { Store } from '@steelyard/store';

export type Removal = {
	id: string;
	/** The keys of its folder, and of the record without which it is not there. */
	folder: string;
	record: string;
	/** The code of the refusal where a job uses it. */
	inUse: 'dataset_in_use' | 'model_in_use';
};

/**
 * Removes a dataset or a model, unless a job uses it that has not ended. Jobs are posted meanwhile, also through other processes: the record goes first, and comes
 * back where a job uses it by then. Whoever posts a job looks for the record once more afterwards, so that one of the two sees the other. Throws ProblemError.
 */
export async function removeUnused(
	{ store, queue }: { store: Store; queue: Queue },
	{ id, folder, record, inUse }: Removal,
): Promise<void> {
	const expectUnused = async (): Promise<void> => {
		const jobs = await queue.jobs.countUsing(id);
		if (jobs > 0) throw new ProblemError(inUse, `${jobs} ${jobs === 1 ? 'job has' : 'jobs have'} not ended that use ${id}`, 'id');
	};
	await expectUnused();
	const aside = `${record}.removed`;
	await store.move(record, aside);
	await expectUnused().catch(async (error: unknown) => {
		await store.move(aside, record);
		throw error;
	});
	await store.remove(folder);
}
