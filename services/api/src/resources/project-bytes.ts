import { ProblemError } from '@steelyard/contracts';
import { folders, listIds, type Store } from '@steelyard/store';
import { bytesOf } from './bytes-of.js';
import { OWNED, type OwnerOf } from './owners.js';

/** Sees that no project takes more of the disk than it may. */
export type ProjectBytes = {
	/** Throws ProblemError `quota_exceeded` with the numbers where a project has as many bytes as it may, or would have more after `bytes` more. */
	expect(project: string, bytes?: number): Promise<void>;
	/** Notes that a project has as many bytes more, until all are counted again. */
	add(project: string, bytes: number): void;
};

/** For how many milliseconds a count is believed by which there is room, and one by which there is none: somebody may just have deleted something. */
const BELIEVED = { room: 60_000, none: 2000 };

function sizeText(bytes: number): string {
	const [value, unit] = bytes < 1e6 ? [bytes / 1e3, 'kB'] : bytes < 1e9 ? [bytes / 1e6, 'MB'] : [bytes / 1e9, 'GB'];
	return `${value.toFixed(1)} ${unit}`;
}

/** No bounds for projects. */
const UNBOUNDED: ProjectBytes = { expect: async () => {}, add() {} };

/**
 * Lets every project have `most` bytes of datasets, models and jobs in a store, any number where that is null. All files are counted, at most once in some seconds. Of
 * several uploads at the same moment, or through several processes, each may be counted as the last that there is room for.
 */
export function createProjectBytes(store: Store, ownerOf: OwnerOf, most: number | null, now: () => number = Date.now): ProjectBytes {
	if (most === null) return UNBOUNDED;
	let last: { at: number; bytes: Map<string, number> } | null = null;
	let counting: Promise<Map<string, number>> | null = null;

	async function count(): Promise<Map<string, number>> {
		const at = now();
		const bytes = new Map<string, number>();
		for (const kind of OWNED)
			for (const id of await listIds(store, kind)) {
				const owner = await ownerOf(kind, id);
				if (owner === null) continue;
				const own = bytesOf(await store.entries(`${folders[kind]}/${id}`));
				bytes.set(owner, (bytes.get(owner) ?? 0) + own);
			}
		last = { at, bytes };
		return bytes;
	}

	async function counted(believed: number): Promise<Map<string, number>> {
		if (last !== null && now() - last.at < believed) return last.bytes;
		counting ??= count().finally(() => {
			counting = null;
		});
		return counting;
	}

	return {
		add(project, bytes) {
			last?.bytes.set(project, (last.bytes.get(project) ?? 0) + bytes);
		},

		async expect(project, bytes = 0) {
			const left = async (believed: number) => most - ((await counted(believed)).get(project) ?? 0);
			const fits = (free: number) => (bytes === 0 ? free > 0 : free >= bytes);
			if (fits(await left(BELIEVED.room))) return;
			const free = await left(BELIEVED.none);
			if (fits(free)) return;
			throw new ProblemError(
				'quota_exceeded',
				`The project ${project} has ${sizeText(most - free)} of the ${sizeText(most)} that a project may have${bytes > 0 ? `, too much for ${sizeText(bytes)} more` : ''}; delete datasets, models or jobs that are no longer needed`,
			);
		},
	};
}
