import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatasetProfile, dtypeOf, type Manifest, type ModalityDtype, maskOf, parse } from '@steelyard/contracts';
import { groupFile, labelsFile, MANIFEST_FILE, maskFile, modalityFile, PROFILE_FILE } from './canonical-folder.js';
import { arrayTypeOf, type CanonicalArray, widthOf } from './canonical-type.js';
import { checkRows, type Gather, gatherFromFile, gatherFromMemory } from './gather.js';
import { maskShape } from './mask.js';
import { openReadAhead } from './read-ahead.js';
import { openStoredArray, readStoredArray } from './stored-array.js';

/** One split. The arrays that it gives are shared: do not write to them. */
export type Split = {
	readonly name: string;
	readonly rows: number;
	/**
	 * Class indices `[rows]` (binary, multiclass), values `[rows]` (regression), or 0 and 1 `[rows, outputs]` (multilabel). Where positions have labels, class indices
	 * or values `[rows, …positions]`; -1 or NaN is a position that does not count.
	 */
	readonly labels: Int32Array | Float32Array;
	/** The code of each row's group, equal across splits for equal values; null where the split has no groups. */
	readonly groups: Int32Array | null;
	/** The shape of one instance: `[features]`, `[steps, features]`, or of more axes. */
	shape(modality: string): readonly number[];
	/** The element type of the values. */
	dtype(modality: string): ModalityDtype;
	/** 1 where present: `[rows]`, or `[rows · steps]` where the mask of the modality marks steps; null where the modality has no mask in any split. */
	mask(modality: string): Uint8Array | null;
	/**
	 * Copies rows, in any order and with repeats, into `out`, the typed array of the modality's `dtype` (Uint8Array for bool), from `offset` (in values) on; missing rows
	 * and steps are zeros. Blocks. Throws TypeError for another array, RangeError for a row that is not there, or where `out` has no room.
	 */
	gather(modality: string, rows: ArrayLike<number>, out: CanonicalArray, offset?: number): void;
	/**
	 * Says that a coming `gather` will want these rows, in this order: where they are on disk, they are read meanwhile. They take the place of those said before. Throws
	 * RangeError for a row that is not there.
	 */
	readAhead(modality: string, rows: ArrayLike<number>): void;
};

/** A validated dataset, open for reading. */
export type Dataset = {
	/** Where its files are. */
	readonly folder: string;
	readonly profile: DatasetProfile;
	/** The manifest as it was uploaded, or null. */
	readonly manifest: unknown;
	/** `train` first, then `valid` and `test` where they exist, then further ones. */
	readonly splitNames: readonly string[];
	split(name: string): Split;
	/** Releases the files. Arrays that were given before stay readable, but `gather` and `readAhead` may not be called any more. */
	close(): void;
};

export type OpenOptions = {
	/** A dataset of up to this many bytes is held in memory, the rows of a larger one are read from disk. 256 MiB unless given. */
	readonly memoryBytes?: number;
};

const DEFAULT_MEMORY_BYTES = 256 * 2 ** 20;

const readJson = (folder: string, file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'));

/** An entry of a record whose keys are names that a user chose; `kind` says what they name. Throws RangeError for another name. */
function entry<T>(record: Readonly<Record<string, T>>, key: string, kind: string): T {
	if (!Object.hasOwn(record, key)) throw new RangeError(`the dataset has no ${kind} ${key}, only ${Object.keys(record).join(', ')}`);
	return record[key] as T;
}

/** The same function, which computes each value only once, when it is first needed. */
function lazily<T>(make: (key: string) => T): (key: string) => T {
	const made = new Map<string, T>();
	return (key) => {
		if (!made.has(key)) made.set(key, make(key));
		return made.get(key) as T;
	};
}

/** Opens a folder that `ingest` wrote. Labels, groups and masks are in memory once they have been used; `memoryBytes` decides about the modalities. */
export function openDataset(folder: string, { memoryBytes = DEFAULT_MEMORY_BYTES }: OpenOptions = {}): Dataset {
	const profile = parse(DatasetProfile, readJson(folder, PROFILE_FILE), 'invalid_dataset');
	const manifest = readJson(folder, MANIFEST_FILE);
	const group = (manifest as Manifest | null)?.group;
	const inMemory = profile.bytes <= memoryBytes;
	const open: { close(): void }[] = [];
	const ahead = openReadAhead();
	let closed = false;
	const checkOpen = (): void => {
		if (closed) throw new Error('the dataset is closed');
	};

	const modalityOf = (modality: string) => {
		const known = entry(profile.modalities, modality, 'modality');
		return { ...known, dtype: dtypeOf(known) };
	};

	const openModality = (split: string, rows: number, modality: string): { gather: Gather; expect: (rows: ArrayLike<number>) => void } => {
		const { shape, dtype } = modalityOf(modality);
		const rowSize = shape.reduce((product, axis) => product * axis, 1);
		const file = modalityFile(split, modality);
		if (inMemory) {
			const values = readStoredArray(folder, file, dtype, [rows, ...shape]);
			return { gather: gatherFromMemory(file, values, rows, rowSize), expect: () => {} };
		}
		const array = openStoredArray(folder, file, dtype, [rows, ...shape]);
		open.push(array);
		const ofArray = ahead.of(array, rowSize * widthOf(dtype));
		return {
			gather: gatherFromFile(file, array, rows, rowSize, ofArray),
			expect(wanted) {
				checkRows(file, rows, wanted);
				ofArray.expect(wanted);
			},
		};
	};

	const openSplit = (name: string): Split => {
		const { rows } = entry(profile.splits, name, 'split');
		const { type, outputs, positions = [] } = profile.task;
		const labels = labelsFile(name);
		const opened = lazily((modality) => openModality(name, rows, modality));
		return {
			name,
			rows,
			labels:
				type === 'regression' || type === 'multilabel'
					? readStoredArray(folder, labels, 'float32', type === 'multilabel' ? [rows, outputs] : [rows, ...positions])
					: readStoredArray(folder, labels, 'int32', [rows, ...positions]),
			groups:
				group !== undefined && existsSync(join(folder, groupFile(name, group)))
					? readStoredArray(folder, groupFile(name, group), 'int32', [rows])
					: null,
			shape: (modality) => modalityOf(modality).shape,
			dtype: (modality) => modalityOf(modality).dtype,
			mask: lazily((modality) => {
				const profiled = modalityOf(modality);
				const marks = maskOf(profiled);
				if (marks === null) return null;
				const steps = marks === 'steps' ? (profiled.shape[0] as number) : null;
				return readStoredArray(folder, maskFile(name, modality), 'uint8', maskShape(rows, steps));
			}),
			gather: (modality, wanted, out, offset = 0) => {
				checkOpen();
				const { gather } = opened(modality);
				const { dtype } = modalityOf(modality);
				if (!(out instanceof arrayTypeOf(dtype)))
					throw new TypeError(`${modality} holds ${dtype}: expected a ${arrayTypeOf(dtype).name}, found a ${out.constructor.name}`);
				gather(wanted, out, offset);
			},
			readAhead: (modality, wanted) => {
				checkOpen();
				opened(modality).expect(wanted);
			},
		};
	};

	// JSON keeps the order of keys, except of keys that look like numbers, which the name of a split cannot
	return {
		folder,
		profile,
		manifest,
		splitNames: Object.keys(profile.splits),
		split: lazily(openSplit),
		close: () => {
			closed = true;
			ahead.close();
			for (const array of open.splice(0)) array.close();
		},
	};
}
