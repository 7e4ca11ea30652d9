import type { ModelVerdict } from '@steelyard/contracts';
import type { Log } from '@steelyard/redis';
import { listIds, modelKeys, readRecord, type Store } from '@steelyard/store';
import type { RedisOptions } from 'ioredis';
import { consume } from './consume.js';
import type { Deliveries } from './deliveries.js';
import type { Hub } from './hub.js';
import type { Keys } from './keys.js';
import type { InspectionOptions, Inspections, Work } from './queue.js';

const LOCK = 15_000;
/** Milliseconds between two searches for models that wait and that BullMQ does not know. */
const SWEEP = 30_000;
/** How many inspections of one model may begin. One that a worker breaks off because it is to end does not count. */
const ATTEMPTS = 3;

type Parts = { redis: RedisOptions; keys: Keys; hub: Hub; deliveries: Deliveries; store: Store; log: Log };

/** Opens the inspections. The store alone knows which models wait, by their lack of a verdict; BullMQ only brings their ids to workers. */
export function openInspections({ redis, keys, hub, deliveries, store, log }: Parts): Inspections {
	/** Ids of models that have a verdict, which never changes, so that they need not be read again. */
	const judged = new Set<string>();

	const verdict = (id: string): Promise<ModelVerdict | null> => readRecord(store, modelKeys.verdict(id));

	async function isWaiting(id: string): Promise<boolean> {
		return (await store.stat(modelKeys.verdict(id))) === null && (await store.stat(modelKeys.record(id))) !== null;
	}

	async function waiting(): Promise<string[]> {
		const ids: string[] = [];
		for (const id of await listIds(store, 'mdl')) {
			if (judged.has(id)) continue;
			if (await isWaiting(id)) ids.push(id);
			else judged.add(id);
		}
		return ids;
	}

	async function rebuild({ alone = false } = {}): Promise<number> {
		let queued = 0;
		for (const id of await waiting()) {
			if (alone) await deliveries.withdraw(id, { held: true });
			if (await deliveries.add(id)) queued++;
		}
		return queued;
	}

	/** Writes a verdict; the first counts. Where the model was deleted meanwhile, what was written is removed. */
	async function record(id: string, found: ModelVerdict): Promise<void> {
		await store.putExclusive(modelKeys.verdict(id), JSON.stringify(found));
		if ((await store.stat(modelKeys.record(id))) === null) await store.remove(modelKeys.folder(id));
		else await store.remove(modelKeys.inspections(id));
	}

	/** Notes that an inspection begins. Resolves with the key of the note, or, where too many have begun already, with the reason for a refusal. */
	async function begin(id: string): Promise<{ note: string } | { refused: string }> {
		for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
			const note = modelKeys.inspection(id, attempt);
			if ((await store.putExclusive(note, 'null')) !== null) return { note };
		}
		const failure = JSON.parse((await store.get(modelKeys.inspection(id, ATTEMPTS)))?.toString() ?? 'null') as string | null;
		return { refused: `The model could not be inspected in ${ATTEMPTS} attempts: ${failure ?? 'the worker was lost each time'}` };
	}

	/** Works on one delivered model; resolves with true when it is to be delivered again. */
	async function inspect(id: string, process: InspectionOptions['process'], signal: AbortSignal, own: Log): Promise<boolean> {
		if (!(await isWaiting(id))) return false;
		// One of a newer version of the service is left to that, which this throws for.
		await readRecord(store, modelKeys.record(id));
		const begun = await begin(id);
		if ('refused' in begun) {
			own.error({ model: id }, begun.refused);
			await record(id, { status: 'refused', report: null, error: { code: 'invalid_model', message: begun.refused, param: null } });
			return false;
		}
		const takeBack = () => store.remove(begun.note);
		let found: ModelVerdict;
		try {
			found = await process(id, signal);
		} catch (error) {
			if (signal.aborted) await takeBack();
			else {
				own.error({ err: error, model: id }, 'an inspection failed');
				await store.put(begun.note, JSON.stringify(error instanceof Error ? error.message : String(error)));
			}
			return true;
		}
		await record(id, found).catch(async (error: unknown) => {
			await takeBack();
			throw error;
		});
		own.info({ model: id, status: found.status, error: found.error }, 'a model was inspected');
		return false;
	}

	function work({ process, log: own = log, lockMs = LOCK }: InspectionOptions): Work {
		const ending = new AbortController();
		const consumer = consume({
			redis,
			keys,
			name: 'inspection',
			concurrency: 1,
			lockMs,
			deliver: async (id) => ((await inspect(id, process, ending.signal, own)) ? 0 : null),
			log: own,
		});
		const look = () =>
			rebuild().then(
				(queued) => queued > 0 && own.info({ queued }, 'models that no worker had were handed over'),
				(error: unknown) => own.warn({ err: error }, 'the models could not be looked through'),
			);
		// null: Redis was away, and may have come back without its data.
		const listening = hub.listen('stop', (id) => void (id === null && !consumer.closing && look()));
		listening.catch((error: unknown) => own.warn({ err: error }, 'it cannot be heard when Redis comes back'));
		void look();
		const sweeping = setInterval(look, SWEEP);

		return {
			async close(graceMs) {
				if (consumer.closing) return;
				clearInterval(sweeping);
				const inTime = await consumer.close(graceMs, () => ending.abort());
				if (!inTime) own.warn({}, 'an inspection did not stop in time; its lock runs out');
				listening.then(
					(leave) => leave(),
					() => {},
				);
			},
		};
	}

	return {
		async enqueue(id) {
			await deliveries.add(id);
		},
		async withdraw(id) {
			await deliveries.withdraw(id);
		},
		verdict,
		rebuild,
		work,
	};
}
