import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type DatasetResource, type List, type ListQuery, ProblemError } from '@steelyard/contracts';
import { ingest } from '@steelyard/dataset';
import type { Queue } from '@steelyard/queue';
import { createId, type Store } from '@steelyard/store';
import { createExclusive } from './exclusive.js';
import { receive } from './receive.js';

const ID = /^ds_[a-z0-9]{1,40}$/;
const keyOf = (id: string) => `datasets/${id}/dataset.json`;
/** A folder of an upload that nothing has touched for so long, in milliseconds, belongs to a process that was killed. */
const ABANDONED = 24 * 3600 * 1000;

/** Writes a stream to disk; `filename` tells what it is. Throws ProblemError. */
export type Save = (source: Readable, filename: string) => Promise<void>;

export type Datasets = {
	/** Takes one `.zip` or `.npz`, which `send` saves, validates it once `send` has ended well, and makes it visible as a whole. Throws ProblemError. */
	add(send: (save: Save) => Promise<void>): Promise<DatasetResource>;
	/** Throws ProblemError `not_found`. */
	get(id: string): Promise<DatasetResource>;
	/** null where there is none. */
	find(id: string): Promise<DatasetResource | null>;
	list(query: ListQuery): Promise<List<DatasetResource>>;
	/** Throws ProblemError `not_found`, or `dataset_in_use` while a job that has not ended names it. */
	remove(id: string): Promise<void>;
	/** Runs an action during which the dataset cannot be removed. */
	holding<T>(id: string, action: () => Promise<T>): Promise<T>;
};

/** Has the files of a folder, and then its list of names, on the disk. */
async function sync(folder: string, names: readonly string[]): Promise<void> {
	for (const name of [...names, '.']) {
		const file = await open(join(folder, name), 'r');
		try {
			await file.sync();
		} finally {
			await file.close();
		}
	}
}

/** Datasets as folders of the store: `datasets/<id>/` with the validated arrays, which appear whole by a rename and vanish with their `dataset.json`. */
export function createDatasets({ store, queue, uploadLimit }: { store: Store; queue: Queue; uploadLimit: number }): Datasets {
	const exclusive = createExclusive();
	// One at a time: reading an archive takes the processor and tens of megabytes, and this process has to stay small and responsive.
	const ingestInTurn = <T>(action: () => Promise<T>) => exclusive('', action);
	const uploads = store.path('uploads');

	async function removeAbandoned(): Promise<void> {
		const names = await readdir(uploads).catch(() => []);
		for (const name of names) {
			const folder = join(uploads, name);
			const { mtimeMs } = await stat(folder);
			if (Date.now() - mtimeMs > ABANDONED) await rm(folder, { recursive: true, force: true });
		}
	}

	async function find(id: string): Promise<DatasetResource | null> {
		if (!ID.test(id)) return null;
		const bytes = await store.get(keyOf(id));
		return bytes === null ? null : (JSON.parse(bytes.toString()) as DatasetResource);
	}

	async function get(id: string): Promise<DatasetResource> {
		const dataset = await find(id);
		if (dataset === null) throw new ProblemError('not_found', `There is no dataset ${id}`, 'id');
		return dataset;
	}

	return {
		find,
		get,
		holding: exclusive,

		async add(send) {
			await removeAbandoned();
			const id = createId('ds');
			const folder = join(uploads, id);
			const validated = join(folder, 'dataset');
			let upload = null as string | null;
			await mkdir(validated, { recursive: true });
			try {
				await send(async (source, filename) => {
					const extension = /\.(zip|npz)$/i.exec(filename)?.[1]?.toLowerCase();
					if (extension === undefined)
						throw new ProblemError('invalid_request', `The file must end in .zip or .npz, found "${filename}"`, 'filename');
					upload = join(folder, `upload.${extension}`);
					await receive(source, upload, uploadLimit);
				});
				if (upload === null) throw new ProblemError('invalid_request', 'The form has no file named "file"', 'file');
				const path = upload;
				const { profile, manifest } = await ingestInTurn(() => ingest(path, validated));
				const dataset: DatasetResource = {
					id,
					object: 'dataset',
					created_at: Math.floor(Date.now() / 1000),
					...profile,
					manifest: manifest ?? null,
				};
				await writeFile(join(validated, 'dataset.json'), JSON.stringify(dataset));
				await mkdir(store.path('datasets'), { recursive: true });
				await sync(validated, await readdir(validated));
				await rename(validated, store.path(`datasets/${id}`));
				await sync(store.path('datasets'), []);
				return dataset;
			} finally {
				await rm(folder, { recursive: true, force: true });
			}
		},

		async list({ limit, after }) {
			const entries = await readdir(store.path('datasets')).catch((error: NodeJS.ErrnoException) => {
				if (error.code === 'ENOENT') return [];
				throw error;
			});
			// Ids begin with their time of birth.
			const ids = entries
				.filter((id) => ID.test(id) && (after === undefined || id < after))
				.sort()
				.reverse();
			const data: DatasetResource[] = [];
			for (const id of ids) {
				const dataset = await find(id);
				if (dataset === null) continue;
				if (data.length === limit) return { object: 'list', data, has_more: true };
				data.push(dataset);
			}
			return { object: 'list', data, has_more: false };
		},

		remove: (id) =>
			exclusive(id, async () => {
				await get(id);
				const jobs = await queue.jobs.countUsing(id);
				if (jobs > 0)
					throw new ProblemError('dataset_in_use', `${jobs} ${jobs === 1 ? 'job has' : 'jobs have'} not ended that use ${id}`, 'id');
				await store.remove(keyOf(id));
				await store.remove(`datasets/${id}`);
			}),
	};
}
