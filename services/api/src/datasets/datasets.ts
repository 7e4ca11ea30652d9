import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
	type DatasetResource,
	type DatasetRows,
	type DatasetUpload,
	type FoundList,
	isId,
	listedDataset,
	ProblemError,
	projectOf,
	type RowsQuery,
	type TablePreview,
	type UploadChange,
	type UploadsQuery,
} from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import { createId, datasetKeys, readRecord, type ServiceStore } from '@steelyard/store';
import type { InProject } from '../keys/caller.js';
import { createNamings } from '../resources/naming.js';
import { pageOf } from '../resources/page.js';
import type { ProjectBytes } from '../resources/project-bytes.js';
import { receive } from '../resources/receive.js';
import { removeUnused } from '../resources/remove-unused.js';
import type { Room } from '../resources/room.js';
import { createUploadFolders } from '../resources/upload-folder.js';
import type { Send } from '../resources/upload-request.js';
import type { Upload } from './protocol.js';
import type { Reader } from './reader.js';
import type { RowReader } from './row-reader.js';

/** Characters of a name, as many as a manifest may give. */
const LONGEST_NAME = 200;

const FILE = /([^/\\]*)\.(zip|npz|parquet|(?:csv|tsv|txt|jsonl|ndjson)(?:\.gz)?)$/i;

/** What an uploaded file is, and what a dataset is called that has no name but that of its file. Throws ProblemError for any other file. */
function fileNamed(filename: string): { name: string; extension: string } {
	const [, name = '', extension = ''] = FILE.exec(filename) ?? [];
	if (extension === '')
		throw new ProblemError(
			'invalid_request',
			`The file must be a table that ends in .csv, .tsv, .txt, .jsonl or .ndjson (with .gz behind it where it is packed) or .parquet, or an archive that ends in .zip or .npz, found "${filename}"`,
			'filename',
		);
	return { name: name.slice(0, LONGEST_NAME) || 'dataset', extension: extension.toLowerCase() };
}

/** What `dataset.json` holds. Those of earlier versions have no metadata. */
type DatasetRecord = Omit<DatasetResource, 'metadata'> & Partial<Pick<DatasetResource, 'metadata'>>;

/** Datasets of the project of whoever asks; those of other projects are not there. */
export type Datasets = {
	/** Takes one file, which `send` saves, and validates it. The dataset is listed once all its files are in place. Throws ProblemError. */
	add(caller: InProject, send: Send<DatasetUpload>): Promise<DatasetResource>;
	/** Says how a table, which `send` saves, would be read, and keeps nothing of it. Throws ProblemError. */
	preview(caller: InProject, send: Send<DatasetUpload>): Promise<TablePreview>;
	/** Throws ProblemError `not_found`. */
	get(caller: InProject, id: string): Promise<DatasetResource>;
	/** Gives null where there is none. */
	find(caller: InProject, id: string): Promise<DatasetResource | null>;
	/** Gives datasets as `listedDataset` makes them. */
	list(caller: InProject, query: UploadsQuery): Promise<FoundList<DatasetResource>>;
	/** Gives some rows of a split. Throws ProblemError `not_found`, and `invalid_request` for a split that is not there. */
	rows(caller: InProject, id: string, query: RowsQuery): Promise<DatasetRows>;
	/** Changes name and metadata; they are on the disk before this resolves. Throws ProblemError `not_found`, and `invalid_request` where the metadata would be too many. */
	change(caller: InProject, id: string, change: UploadChange): Promise<DatasetResource>;
	/** Throws ProblemError `not_found`, or `dataset_in_use` while a job that has not ended names it. */
	remove(caller: InProject, id: string): Promise<void>;
};

/** An upload that has arrived, in a folder of its own, and what was said of it. */
type Received = { id: string; folder: string; upload: Upload; said: DatasetUpload };

type Parts = {
	store: ServiceStore;
	queue: Queue;
	reader: Pick<Reader, 'read' | 'preview'>;
	rowReader: Pick<RowReader, 'read'>;
	room: Room;
	quota: ProjectBytes;
	uploadLimit: number;
};

/**
 * The datasets of a store. Each is a folder `datasets/<id>/` of validated arrays. There is none before its `dataset.json`, which appears last, nor once that is removed.
 */
export function createDatasets({ store, queue, reader, rowReader, room, quota, uploadLimit }: Parts): Datasets {
	const uploads = createUploadFolders(store.files);
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

	/** Receives an upload into a folder of its own, which is gone afterwards. */
	async function withUpload<T>(project: string, send: Send<DatasetUpload>, use: (received: Received) => Promise<T>): Promise<T> {
		await room.expect();
		await quota.expect(project);
		const id = createId('ds');
		return uploads.within(id, async (folder) => {
			let file = { path: '', filename: '', name: '' };
			const said = await send(async (source, filename) => {
				const { name, extension } = fileNamed(filename);
				file = { path: join(folder, `upload.${extension}`), filename, name };
				// Its arrays take about as much once more, and more where they are packed.
				const may = (bytes: number) => quota.expect(project, bytes);
				await room.expect(await receive(source, file.path, { limit: uploadLimit, room, quota: may }));
			});
			const upload = { ...file, manifest: said.manifest ?? null, label: said.label ?? null, work: join(folder, 'work') };
			return use({ id, folder, upload, said });
		});
	}

	return {
		find,
		get,

		add: ({ project }, send) =>
			withUpload(project, send, async ({ id, folder, upload, said }) => {
				const validated = join(folder, 'dataset');
				await mkdir(validated);
				const { profile, manifest } = await reader.read({ ...upload, target: validated });
				await quota.expect(project, profile.bytes);
				const dataset: DatasetResource = {
					id,
					object: 'dataset',
					project,
					created_at: Math.floor(Date.now() / 1000),
					...profile,
					name: said.name ?? profile.name,
					metadata: said.metadata ?? {},
					manifest: manifest ?? null,
				};
				await writeFile(join(validated, basename(datasetKeys.listed(id))), JSON.stringify(listedDataset(dataset)));
				const record = basename(datasetKeys.record(id));
				await writeFile(join(validated, record), JSON.stringify(dataset));
				await store.files.publish(validated, datasetKeys.folder(id), record);
				quota.add(project, profile.bytes);
				return dataset;
			}),

		preview: ({ project }, send) => withUpload(project, send, ({ upload }) => reader.preview(upload)),

		list: (caller, query) => pageOf(store, 'ds', query, (id) => findListed(caller, id)),

		async rows(caller, id, query) {
			const { task, modalities, splits, table } = await get(caller, id);
			const profile = { task, modalities, splits, ...(table === undefined ? {} : { table }) };
			try {
				return await store.files.withFolder(datasetKeys.folder(id), (folder) => rowReader.read({ folder, profile, query }));
			} catch (error) {
				await get(caller, id); // it may have been deleted meanwhile
				throw error;
			}
		},

		change: (caller, id, change) => namings.change(id, change, () => get(caller, id)),

		async remove(caller, id) {
			await get(caller, id);
			await removeUnused({ store, queue }, { id, folder: datasetKeys.folder(id), record: datasetKeys.record(id), inUse: 'dataset_in_use' });
		},
	};
}
