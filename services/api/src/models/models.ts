import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
	type FoundList,
	isId,
	type ModelResource,
	ProblemError,
	projectOf,
	type UploadChange,
	type UploadNaming,
	type UploadsQuery,
} from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import { createId, modelKeys, readRecord, type ServiceStore } from '@steelyard/store';
import type { InProject } from '../keys/caller.js';
import { createNamings } from '../resources/naming.js';
import { pageOf } from '../resources/page.js';
import type { ProjectBytes } from '../resources/project-bytes.js';
import { receive } from '../resources/receive.js';
import { removeUnused } from '../resources/remove-unused.js';
import type { Room } from '../resources/room.js';
import { createUploadFolders } from '../resources/upload-folder.js';
import type { Send } from '../resources/upload-request.js';

const LONGEST_NAME = 255;

/** What `model.json` holds: everything but the result of the inspection. Those of earlier versions have no metadata. */
type ModelRecord = Omit<ModelResource, 'status' | 'report' | 'error' | 'metadata'> & Partial<Pick<ModelResource, 'metadata'>>;

/** Models of the project of whoever asks; those of other projects are not there. */
export type Models = {
	/** Takes one ONNX file or archive, which `send` saves, and queues it for inspection. The model is listed once its file is in place. Throws ProblemError. */
	add(caller: InProject, send: Send<UploadNaming>): Promise<ModelResource>;
	/** Throws ProblemError `not_found`. */
	get(caller: InProject, id: string): Promise<ModelResource>;
	/** Gives null where there is none. */
	find(caller: InProject, id: string): Promise<ModelResource | null>;
	/** Gives models without their reports: a page of reports could be hundreds of megabytes. */
	list(caller: InProject, query: UploadsQuery): Promise<FoundList<ModelResource>>;
	/** Changes name and metadata; they are on the disk before this resolves. Throws ProblemError `not_found`, and `invalid_request` where the metadata would be too many. */
	change(caller: InProject, id: string, change: UploadChange): Promise<ModelResource>;
	/** Throws ProblemError `not_found`, or `model_in_use` while a job that has not ended names it. */
	remove(caller: InProject, id: string): Promise<void>;
};

type Parts = { store: ServiceStore; queue: Queue; room: Room; quota: ProjectBytes; modelLimit: number };

/**
 * The uploaded models of a store. Each is a folder `models/<id>/` with `model.onnx`, which is what was uploaded, and `model.json`. It is renamed into place when
 * it is complete, and there is no model any more once its `model.json` is removed. A worker adds the result of the inspection, which decides about the status,
 * and puts the model that it finds in a zip archive into the place of that; nothing else changes. This process reads no byte of a model.
 */
export function createModels({ store, queue, room, quota, modelLimit }: Parts): Models {
	const uploads = createUploadFolders(store.files);
	const namings = createNamings(store, modelKeys.naming);

	/** The projects of the models that were seen, so that a list reads no others. They do not change. */
	const projects = new Map<string, string>();

	async function find({ project }: InProject, id: string): Promise<ModelResource | null> {
		if (!isId('mdl', id) || (projects.get(id) ?? project) !== project) return null;
		const record = await readRecord<ModelRecord>(store, modelKeys.record(id));
		if (record === null) return null;
		projects.set(id, projectOf(record));
		if (projectOf(record) !== project) return null;
		const named = await namings.apply(record);
		return { ...named, ...((await queue.inspections.verdict(id)) ?? { status: 'inspecting', report: null, error: null }) };
	}

	async function get(caller: InProject, id: string): Promise<ModelResource> {
		const model = await find(caller, id);
		if (model === null) throw new ProblemError('not_found', `There is no model ${id}`, 'id');
		return model;
	}

	async function removeFiles(id: string): Promise<void> {
		await store.remove(modelKeys.record(id));
		await store.remove(modelKeys.folder(id));
	}

	return {
		find,
		get,

		async add({ project }, send) {
			await room.expect();
			await quota.expect(project);
			const id = createId('mdl');
			return uploads.within(id, async (folder) => {
				const whole = join(folder, 'model');
				await mkdir(whole);
				const hash = createHash('sha256');
				let name = '';
				let bytes = 0;
				const naming = await send(async (source, filename) => {
					name = filename.slice(-LONGEST_NAME) || 'model.onnx';
					const may = (received: number) => quota.expect(project, received);
					bytes = await receive(source, join(whole, basename(modelKeys.graph(id))), { limit: modelLimit, room, quota: may, hash });
				});
				const record = {
					id,
					object: 'model' as const,
					project,
					created_at: Math.floor(Date.now() / 1000),
					name: naming.name ?? name,
					metadata: naming.metadata ?? {},
					bytes,
					sha256: hash.digest('hex'),
				};
				const recordName = basename(modelKeys.record(id));
				await writeFile(join(whole, recordName), JSON.stringify(record satisfies ModelRecord));
				await store.files.publish(whole, modelKeys.folder(id), recordName);
				quota.add(project, bytes);
				await queue.inspections.enqueue(id).catch(async (error: unknown) => {
					await removeFiles(id);
					throw error;
				});
				return { ...record, status: 'inspecting', report: null, error: null };
			});
		},

		list: (caller, query) =>
			pageOf(store, 'mdl', query, async (id) => {
				const model = await find(caller, id);
				return model === null ? null : { ...model, report: null };
			}),

		change: (caller, id, change) => namings.change(id, change, () => get(caller, id)),

		async remove(caller, id) {
			await get(caller, id);
			await removeUnused({ store, queue }, { id, folder: modelKeys.folder(id), record: modelKeys.record(id), inUse: 'model_in_use' });
			await queue.inspections.withdraw(id);
		},
	};
}
