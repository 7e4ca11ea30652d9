import type { DatasetProfile, Manifest, ModalityProfile } from '@steelyard/contracts';
import { CanonicalFolder, groupFile, MANIFEST_FILE, maskFile, modalityFile, PROFILE_FILE } from './canonical-folder.js';
import { copyGroup, type GroupCodes } from './group.js';
import { readLabels, readTrainLabels, type SplitLabels } from './labels.js';
import { filesOf, type Layout, layOut, type SplitFiles } from './layout.js';
import { DEFAULT_LIMITS, type Limits } from './limits.js';
import { readManifest } from './manifest.js';
import { copyMask, writeFullMask } from './mask.js';
import type { Member, Source } from './member.js';
import { copyModality, instanceShape, type ModalityForm } from './modality.js';
import { readNpy } from './npy-reader.js';
import { refusal } from './refusal.js';
import { openSource } from './source.js';

/** Limits of a dataset, and what to call it. */
export type IngestOptions = Partial<Limits> & {
	/** The name of a dataset whose manifest gives none; `dataset` unless given. */
	name?: string;
};

/** The form of a modality: its shape is that of the manifest, where it gives one, else that of the training split. */
async function modalityForm(member: Member, modality: string, manifest: Manifest | null): Promise<ModalityForm> {
	const stated = manifest?.modalities[modality];
	const columns = stated?.columns;
	if (stated?.shape !== undefined) return { shape: stated.shape, from: MANIFEST_FILE, columns };
	return { shape: await readNpy(member, async (array) => instanceShape(array)), from: member.name, columns };
}

async function readModality(
	modality: string,
	splits: readonly SplitFiles[],
	rows: ReadonlyMap<string, number>,
	manifest: Manifest | null,
	target: CanonicalFolder,
): Promise<ModalityProfile> {
	const files = splits.map((split) => ({ split, ...(split.modalities.get(modality) as { values: Member; mask: Member | null }) }));
	const form = await modalityForm((files[0] as { values: Member }).values, modality, manifest);
	const masked = files.some(({ mask }) => mask !== null);
	let absent = 0;
	let all = 0;
	for (const { split, values, mask } of files) {
		const count = rows.get(split.name) as number;
		const maskName = maskFile(split.name, modality);
		if (mask !== null) absent += await copyMask(mask, maskName, count, split.labels.name, form.shape, target);
		else if (masked) await writeFullMask(maskName, count, form.shape, target);
		await copyModality(values, modalityFile(split.name, modality), masked ? maskName : null, count, split.labels.name, form, target);
		all += count;
	}
	const description = manifest?.modalities[modality]?.description;
	return {
		shape: [...form.shape],
		masked,
		missing: absent / all,
		...(form.columns === undefined ? {} : { columns: [...form.columns] }),
		...(description === undefined ? {} : { description }),
	};
}

async function readAll(
	{ modalities, splits }: Layout,
	manifest: Manifest | null,
	name: string,
	target: CanonicalFolder,
): Promise<DatasetProfile> {
	const [train, ...others] = splits as [SplitFiles, ...SplitFiles[]];
	const { task, ...trainLabels } = await readTrainLabels(train.labels, manifest, target);
	const labels = new Map<string, SplitLabels>([[train.name, trainLabels]]);
	for (const split of others) labels.set(split.name, await readLabels(split.labels, split.name, task, target));
	for (const split of splits) {
		const { rows } = labels.get(split.name) as SplitLabels;
		if (split.rows !== null && split.rows !== rows)
			throw refusal(split.labels.name, `${split.rows} rows, as manifest.json says of split ${split.name}`, `${rows}`);
	}
	const rows = new Map([...labels].map(([name, split]) => [name, split.rows]));

	const codes: GroupCodes = new Map();
	for (const split of splits) {
		const group = manifest?.group;
		if (split.group !== null && group !== undefined)
			await copyGroup(split.group, groupFile(split.name, group), rows.get(split.name) as number, split.labels.name, codes, target);
	}

	const profiles: [string, ModalityProfile][] = [];
	for (const modality of modalities) profiles.push([modality, await readModality(modality, splits, rows, manifest, target)]);
	return {
		name: manifest?.name ?? name,
		title: manifest?.title ?? null,
		task,
		modalities: Object.fromEntries(profiles),
		splits: Object.fromEntries([...labels].map(([name, split]) => [name, { rows: split.rows, labels: split.summary }])),
		bytes: target.bytes,
		sha256: target.digest(),
	};
}

function checkSize(layout: Layout, limits: Limits): void {
	let bytes = 0;
	for (const member of filesOf(layout)) {
		bytes += member.bytes;
		if (bytes > limits.bytes) throw refusal(member.name, `at most ${limits.bytes} bytes in all files`, `${bytes} with this one`);
	}
}

async function readSource(
	source: Source,
	target: CanonicalFolder,
	name: string,
	limits: Limits,
): Promise<{ profile: DatasetProfile; manifest: unknown }> {
	const { uploaded, manifest } = await readManifest(source);
	const layout = await layOut(source, manifest);
	checkSize(layout, limits);
	const profile = await readAll(layout, manifest, name, target);
	await target.writeJson(MANIFEST_FILE, uploaded);
	await target.writeJson(PROFILE_FILE, profile);
	return { profile, manifest: uploaded };
}

/**
 * Reads a dataset from a folder, `.zip` or `.npz` file, checks every value, and writes it in canonical form into `target`, an existing empty folder: little-endian
 * `.npy` arrays in C order (modalities float32, masks uint8, classes int32, other labels float32, groups int32 codes), `profile.json`, and `manifest.json` (as it was
 * uploaded, or null). It needs a bounded amount of memory. Where it refuses the dataset, `target` is empty afterwards.
 *
 * The profile depends on the bytes and on `name` alone; its `bytes` and `sha256` are those of the canonical arrays.
 * @throws ProblemError `invalid_dataset`, with file, row and column where there is one (counted from 0)
 */
export async function ingest(
	source: string,
	target: string,
	{ name = 'dataset', ...limits }: IngestOptions = {},
): Promise<{ profile: DatasetProfile; manifest: unknown }> {
	const allowed = { ...DEFAULT_LIMITS, ...limits };
	const folder = await CanonicalFolder.open(target, allowed.bytes);
	const opened = await openSource(source, allowed);
	try {
		return await readSource(opened, folder, name, allowed);
	} catch (error) {
		await folder.discard();
		throw error;
	} finally {
		opened.close();
	}
}
