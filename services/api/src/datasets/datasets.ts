import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
	type DatasetResource,
	type FoundList,
	isId,
	listedDataset,
	ProblemError,
	projectOf,
	type UploadChange,
	type UploadsQuery,
} from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import { createId, datasetKeys, readRecord, type Store } from '@steelyard/store';
import type { InProject } from '../keys/caller.js';
import { createNamings } from '../resources/naming.js';
import { pageOf } from '../resources/page.js';
import type { ProjectBytes } from '../resources/project-bytes.js';
import { receive } from '../resources/receive.js';
import { removeUnused } from '../resources/remove-unused.js';
import type { Room } from '../resources/room.js';
import { createUploadFolders } from '../resources/upload-folder.js';
import type { Send } from '../resources/upload-request.js';
import type { Reader } from './reader.js';

/** Characters of a name, as many as a manifest may give. */
const LONGEST_NAME = 200;

/** What an archive is, and what a dataset is called that has no name but that of its file. Throws ProblemError for any other file. */
function archiveNamed(filename: string): { name: string; extension: string } {
	const [, name = '', extension = ''] = /([^/\\]*)\.(zip|npz)$/i.exec(filename) ?? [];
	if (extension === '') throw new ProblemError('invalid_request', `The file must end in .zip or .npz, found "${filename}"`, 'filename');
	return { name: name.slice(0, LONGEST_NAME) || 'dataset', extension: extension.toLowerCase() };
}

/** What `dataset.json` holds. Those of earlier versions have no metadata. */
type DatasetRecord = Omit<DatasetResource, 'metadata'> & Partial<Pick<DatasetResource, 'metadata'>>;

/** Datasets of the project of whoever asks; those of other projects are not there. */
export type Datasets = {
	/** Takes one `.zip` or `.npz`, which `send` saves, and validates it. The dataset is listed once all its files are in place. Throws ProblemError. */
	add(caller: InProject, send: Send): Promise<DatasetResource>;
	/** Throws ProblemError `not_found`. */
	get(caller: InProject, id: string): Promise<DatasetResource>;
	/** Gives null where there is none. */
	find(caller: InProject, id: string): Promise<DatasetResource | null>;
	/** Gives datasets as `listedDataset` makes them. */
	list(caller: InProject, query: UploadsQuery): Promise<FoundList<DatasetResource>>;
	/** Changes name and metadata; they are on the disk before this resolves. Throws ProblemError `not_found`, and `invalid_request` where the metadata would be too many. */
	change(caller: InProject, id: string, change: UploadChange): Promise<DatasetResource>;
	/** Throws ProblemError `not_found`, or `dataset_in_use` while a job that has not ended names it. */
	remove(caller: InProject, id: string): Promise<void>;
};

type Parts = { store: Store; queue: Queue; reader: Pick<Reader, 'read'>; room: Room; quota: ProjectBytes; uploadLimit: number };

/**
 * The datasets of a store. Each is a folder `datasets/<id>/` of validated arrays. It is renamed into place when it is complete, and there is no dataset any
 * more once its `dataset.json` is removed.
 */
export function createDatasets({ store, queue, reader, room, quota, uploadLimit }: Parts): Datasets {
	const uploads = createUploadFolders(store);
	const namings = createNamings(store, datasetKeys.naming);

	/** The projects of the datasets that were seen, so that a list reads no others. They do not change. */
	const projects = new Map<string, string>();
	const seen = async (dataset: DatasetRecord, { project }: InProject): Promise<DatasetResource | null> => {
		projects.set(dataset.id, projectOf(dataset));
		return projectOf(dataset) === project ? namings.apply(dataset) : null;
	};

	async function find(caller: InProject, id: string): Promise<DatasetResource | null> {
		const dataset = isId('ds', id) ? await readRecord<DatasetRecord>(store, datasetKeys.record(id)) : null;
		return dataset === null ? null : seen(dataset, caller);
	}

	/** What a list shows of a dataset; one of an older version has that in its record alone. */
	async function findListed(caller: InProject, id: string): Promise<DatasetResource | null> {
		if ((projects.get(id) ?? caller.project) !== caller.project) return null;
		if ((await store.stat(datasetKeys.record(id))) === null) return null;
		const listed = await readRecord<DatasetRecord>(store, datasetKeys.listed(id));
		if (listed !== null) return seen(listed, caller);
		const dataset = await find(caller, id);
		return dataset === null ? null : listedDataset(dataset);
	}

	async function get(caller: InProject, id: string): Promise<DatasetResource> {
		const dataset = await find(caller, id);
		if (dataset === null) throw new ProblemError('not_found', `There is no dataset ${id}`, 'id');
		return dataset;
	}

	return {
		find,
		get,

		async add({ project }, send) {
			await room.expect();
			await quota.expect(project);
			const id = createId('ds');
			return uploads.within(id, async (folder) => {
				const validated = join(folder, 'dataset');
				await mkdir(validated);
				let path = '';
				let name = '';
				const naming = await send(async (source, filename) => {
					const archive = archiveNamed(filename);
					name = archive.name;
					path = join(folder, `upload.${archive.extension}`);
					// Its arrays take about as much once more, and more where they are packed.
					const may = (bytes: number) => quota.expect(project, bytes);
					await room.expect(await receive(source, path, { limit: uploadLimit, room, quota: may }));
				});
				const { profile, manifest } = await reader.read({ archive: path, target: validated, name });
				await quota.expect(project, profile.bytes);
				const dataset: DatasetResource = {
					id,
					object: 'dataset',
					project,
					created_at: Math.floor(Date.now() / 1000),
					...profile,
					name: naming.name ?? profile.name,
					metadata: naming.metadata ?? {},
					manifest: manifest ?? null,
				};
				await writeFile(join(validated, basename(datasetKeys.listed(id))), JSON.stringify(listedDataset(dataset)));
				await writeFile(join(validated, basename(datasetKeys.record(id))), JSON.stringify(dataset));
				await uploads.publish(validated, datasetKeys.folder(id));
				quota.add(project, profile.bytes);
				return dataset;
			});
		},

		list: (caller, query) => pageOf(store, 'ds', query, (id) => findListed(caller, id)),

		change: (caller, id, change) => namings.change(id, change, () => get(caller, id)),

		async remove(caller, id) {
			await get(caller, id);
			await removeUnused({ store, queue }, { id, folder: datasetKeys.folder(id), record: datasetKeys.record(id), inUse: 'dataset_in_use' });
		},
	};
}
