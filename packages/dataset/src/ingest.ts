import { join } from 'node:path';
import type { DatasetProfile, Manifest, ModalityProfile } from '@steelyard/contracts';
import { CanonicalFolder, groupFile, MANIFEST_FILE, maskFile, modalityFile, PROFILE_FILE } from './canonical-folder.js';
import { copyGroup, type GroupCodes } from './group.js';
import { readLabels, readTrainLabels, type SplitLabels } from './labels.js';
import { filesOf, type Layout, layOut, type ModalityFiles, type SplitFiles } from './layout.js';
import { DEFAULT_LIMITS, type Limits } from './limits.js';
import { readManifest } from './manifest.js';
import { copyMask, writeFullMask, writeLengthsMask } from './mask.js';
import type { Source } from './member.js';
import { checkArray, copyModality, filledUpShape, type ModalityArray, type ModalityForm, openModality, storedType } from './modality.js';
import { readNpy } from './npy-reader.js';
import type { WrittenArray } from './npy-writer.js';
import { emptyRange, include } from './range.js';
import { refusal } from './refusal.js';
import { openSource } from './source.js';
import { withNumberedLabels } from './text-labels.js';

/** Limits of a dataset, and what to call it. */
export type IngestOptions = Partial<Limits> & {
	/** The name of a dataset whose manifest gives none; `dataset` unless given. */
	name?: string;
	/**
	 * Of a folder: files of modalities, float32 and with zeros where their mask is 0, that `openNpyWriter` has written, with what it saw of them. They are moved into the
	 * dataset, from the same disk, and not read.
	 */
	written?: ReadonlyMap<string, WrittenArray>;
};

/** Files that need not be read, and where they are. */
type Written = { readonly folder: string; readonly arrays: ReadonlyMap<string, WrittenArray> };

type SplitArray = { readonly split: SplitFiles; readonly files: ModalityFiles; readonly rows: number; readonly array: ModalityArray };

/** How many steps the masks of instances of a shape mark: those of a sequence, and where a mask or the lengths tell them apart, the numbers of a vector; of more axes where lengths do. */
async function markedSteps(shape: readonly number[], arrays: readonly SplitArray[]): Promise<number | null> {
	const [first = 1] = shape;
	if (shape.length === 2) return first;
	if (shape.length === 1 && first === 1) return null;
	if (arrays.some(({ array }) => array.lengths !== null)) return first;
	if (shape.length > 2) return null;
	for (const { files } of arrays)
		if (files.presence !== null && (await readNpy(files.presence.member, async ({ header }) => header.shape.length)) === 2) return first;
	return null;
}

/** The form of a modality by its arrays: its shape is that of the manifest, where it gives one, else that of the training split, which comes first. */
async function modalityForm(splits: readonly SplitArray[], modality: string, manifest: Manifest | null): Promise<ModalityForm> {
	const arrays = splits.map(({ array }) => array) as [ModalityArray, ...ModalityArray[]];
	const stated = manifest?.modalities?.[modality];
	const shaped =
		stated?.shape === undefined ? { shape: filledUpShape(arrays), from: arrays[0].file } : { shape: stated.shape, from: MANIFEST_FILE };
	return {
		...shaped,
		columns: stated?.columns,
		steps: await markedSteps(shaped.shape, splits),
		dtype: storedType(arrays),
		tokens: stated?.tokens ?? null,
	};
}

async function readModality(
	modality: string,
	splits: readonly SplitFiles[],
	rowsOf: ReadonlyMap<string, number>,
	manifest: Manifest | null,
	target: CanonicalFolder,
	written: Written,
): Promise<ModalityProfile> {
	const arrays: SplitArray[] = [];
	for (const split of splits) {
		const files = split.modalities.get(modality) as ModalityFiles;
		const rows = rowsOf.get(split.name) as number;
		arrays.push({ split, files, rows, array: await openModality(files, rows, split.labels.name) });
	}
	const form = await modalityForm(arrays, modality, manifest);
	const range = emptyRange();
	const masked = arrays.some(({ files }) => files.presence !== null);
	let absent = 0;
	let all = 0;
	for (const { split, files, rows, array } of arrays) {
		checkArray(array, rows, form, target.room);
		const maskName = maskFile(split.name, modality);
		if (array.lengths !== null) absent += await writeLengthsMask(array.lengths.perRow, maskName, form.steps, target);
		else if (files.presence !== null)
			absent += await copyMask(files.presence.member, maskName, rows, split.labels.name, form.steps, target);
		else if (masked) await writeFullMask(maskName, rows, form.steps, target);
		const name = modalityFile(split.name, modality);
		const known = written.arrays.get(files.values.name);
		if (known === undefined) await copyModality(files.values, array, name, masked ? maskName : null, rows, form, range, target);
		else {
			await target.moveArray(join(written.folder, files.values.name), name, form.dtype, [rows, ...form.shape], known.sha256);
			include(range, known.range);
		}
		all += rows;
	}
	const { description, standardize, tokens } = manifest?.modalities?.[modality] ?? {};
	return {
		shape: [...form.shape],
		masked,
		...(masked ? { mask: form.steps === null ? 'rows' : 'steps' } : {}),
		missing: absent / all,
		dtype: form.dtype,
		...range,
		...(form.columns === undefined ? {} : { columns: [...form.columns] }),
		...(description === undefined ? {} : { description }),
		// Ids are on no scale.
		...(tokens === undefined ? (standardize === undefined ? {} : { standardize }) : { standardize: false, tokens }),
	};
}

async function readAll(
	{ modalities, splits, ignored }: Layout,
	manifest: Manifest | null,
	name: string,
	limits: Limits,
	target: CanonicalFolder,
	written: Written,
): Promise<DatasetProfile> {
	const [train, ...others] = splits as [SplitFiles, ...SplitFiles[]];
	const { task, ...trainLabels } = await readTrainLabels(train.labels, manifest, target);
	checkCounts(task.outputs, { modalities, splits, ignored }, limits);
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
			await copyGroup(
				split.group,
				groupFile(split.name, group),
				rows.get(split.name) as number,
				split.labels.name,
				{ codes, most: limits.groups },
				target,
			);
	}

	const profiles: [string, ModalityProfile][] = [];
	for (const modality of modalities) profiles.push([modality, await readModality(modality, splits, rows, manifest, target, written)]);
	return {
		name: manifest?.name ?? name,
		title: manifest?.title ?? null,
		task,
		modalities: Object.fromEntries(profiles),
		splits: Object.fromEntries(
			[...labels].map(([name, { rows, summary, ignored }]) => [
				name,
				{ rows, labels: summary, ...(ignored === undefined ? {} : { ignored_positions: ignored }) },
			]),
		),
		...(ignored.length === 0 ? {} : { ignored: [...ignored] }),
		bytes: target.bytes,
		sha256: target.digest(),
	};
}

/** Refuses more counts of classes or labels than a profile may be made of. */
function checkCounts(classes: number, { splits }: Layout, limits: Limits): void {
	if (classes * splits.length > limits.counts)
		throw refusal(
			'The dataset',
			`at most ${limits.counts} classes or labels in all splits together`,
			`${classes} in each of ${splits.length} splits, which are ${classes * splits.length}`,
		);
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
	written: Written,
): Promise<{ profile: DatasetProfile; manifest: unknown }> {
	const { uploaded, manifest } = await readManifest(source, limits);
	const found = layOut(source, manifest, limits);
	checkSize(found, limits);
	const { layout, manifest: known } = await withNumberedLabels(found, manifest);
	const { classes, class_count: count = classes?.length ?? 0 } = known?.task ?? {};
	checkCounts(count, layout, limits);
	const profile = await readAll(layout, known, name, limits, target, written);
	await target.writeJson(MANIFEST_FILE, uploaded);
	await target.writeJson(PROFILE_FILE, profile);
	return { profile, manifest: uploaded };
}

/**
 * Reads a dataset from a folder, `.zip` or `.npz` file, checks every value, and writes it in canonical form into `target`, an existing empty folder: little-endian
 * `.npy` arrays in C order (modalities float32, or their own type of integers or bool, masks uint8, classes int32, other labels float32, groups int32 codes), `profile.json`, and `manifest.json` (as it was
 * uploaded, or null). It needs a bounded amount of memory, and four bytes for each row of a modality whose rows differ in length. Where it refuses the dataset, `target` is empty afterwards.
 *
 * The profile depends on the bytes and on `name` alone; its `bytes` and `sha256` are those of the canonical arrays.
 * @throws ProblemError `invalid_dataset`, with file, row and column where there is one (counted from 0)
 */
export async function ingest(
	source: string,
	target: string,
	{ name = 'dataset', written = new Map(), ...limits }: IngestOptions = {},
): Promise<{ profile: DatasetProfile; manifest: unknown }> {
	const allowed = { ...DEFAULT_LIMITS, ...limits };
	const folder = await CanonicalFolder.open(target, allowed.bytes);
	const opened = await openSource(source, allowed);
	try {
		return await readSource(opened, folder, name, allowed, { folder: source, arrays: written });
	} catch (error) {
		await folder.discard();
		throw error;
	} finally {
		opened.close();
	}
}
