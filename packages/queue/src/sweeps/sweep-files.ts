import type { SweepSpec } from '@steelyard/contracts';
import type { Decision, Outcome } from '@steelyard/search';
import { readRecord, type Store, sweepKeys } from '@steelyard/store';

/** What was asked for. */
export type SweepRecord = { id: string; project: string; created_at: number; spec: SweepSpec };

/** A decision, and the job that carries it out. */
export type Decided = { decision: Decision; job: string };

/** Whether its user wants the sweep to go on. */
export type Wish = { status: 'running' | 'paused' | 'cancelled' };

export type End = { status: 'succeeded' | 'failed' | 'cancelled'; finished_at: number };

/** A sweep as the store has it. `outcomes` has an entry where there is one. */
export type SweepState = {
	readonly record: SweepRecord;
	readonly wish: Wish['status'];
	readonly end: End | null;
	readonly decided: readonly Decided[];
	readonly outcomes: readonly (Outcome | undefined)[];
};

/** What never changes of a sweep, as far as it was read. */
type Known = { record: SweepRecord; decided: Decided[]; outcomes: (Outcome | undefined)[] };

/** So many sweeps are kept in memory. */
const MOST_KNOWN = 64;

/**
 * The files of sweeps. Each decision and each outcome is a file that only one process can write, so that any number of processes may take the same sweep further:
 * whoever comes second finds what the first has decided.
 */
export function openSweepFiles(store: Store) {
	const known = new Map<string, Known>();

	async function knownOf(id: string): Promise<Known | null> {
		const found = known.get(id);
		if (found !== undefined) return found;
		const record = await readRecord<SweepRecord>(store, sweepKeys.record(id));
		if (record === null) return null;
		const [oldest] = known.keys();
		if (known.size >= MOST_KNOWN && oldest !== undefined) known.delete(oldest);
		const made: Known = { record, decided: [], outcomes: [] };
		known.set(id, made);
		return made;
	}

	return {
		async create(record: SweepRecord): Promise<void> {
			await store.put(sweepKeys.record(record.id), JSON.stringify(record));
		},

		/** Null where there is no such sweep. */
		async read(id: string): Promise<SweepState | null> {
			if ((await store.stat(sweepKeys.record(id))) === null) {
				known.delete(id);
				return null;
			}
			const own = await knownOf(id);
			if (own === null) return null;
			const { record, decided, outcomes } = own;
			// By their numbers: another reader may be at the same files.
			for (let n = decided.length; ; n++) {
				const next = await readRecord<Decided>(store, sweepKeys.decision(id, n));
				if (next === null) break;
				decided[n] = next;
			}
			for (let n = 0; n < decided.length; n++) outcomes[n] ??= (await readRecord<Outcome>(store, sweepKeys.outcome(id, n))) ?? undefined;
			const wish = (await readRecord<Wish>(store, sweepKeys.wish(id)))?.status ?? 'running';
			const end = await readRecord<End>(store, sweepKeys.end(id));
			return { record, wish, end, decided: [...decided], outcomes: [...outcomes] };
		},

		isOpen: async (id: string): Promise<boolean> =>
			(await store.stat(sweepKeys.record(id))) !== null && (await store.stat(sweepKeys.end(id))) === null,
		wish: async (id: string, status: Wish['status']): Promise<void> => {
			// What another version has noted there, and this one does not know, stays.
			await store.put(sweepKeys.wish(id), JSON.stringify({ ...(await readRecord(store, sweepKeys.wish(id))), status } satisfies Wish));
		},
		/** Writes a decision unless there is one of this number. */
		decide: async (id: string, number: number, decided: Decided): Promise<void> => {
			await store.putExclusive(sweepKeys.decision(id, number), JSON.stringify(decided));
		},
		/** Writes an outcome unless there is one. */
		conclude: async (id: string, number: number, outcome: Outcome): Promise<void> => {
			await store.putExclusive(sweepKeys.outcome(id, number), JSON.stringify(outcome));
		},
		/** Ends a sweep unless it has ended. */
		end: async (id: string, end: End): Promise<void> => {
			await store.putExclusive(sweepKeys.end(id), JSON.stringify(end));
		},
		async remove(id: string): Promise<void> {
			known.delete(id);
			await store.remove(sweepKeys.record(id));
			await store.remove(sweepKeys.folder(id));
		},
	};
}
export type SweepFiles = ReturnType<typeof openSweepFiles>;
