import { createHash } from 'node:crypto';
import { open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CanonicalArray, type CanonicalType, widthOf } from './canonical-type.js';
import { encodeHeader } from './npy-header.js';
import { refusal } from './refusal.js';

/** Appends values to the array that is being written. */
export type Append = (values: CanonicalArray) => Promise<void>;

export const labelsFile = (split: string): string => `${split}_labels.npy`;
export const modalityFile = (split: string, modality: string): string => `${split}_${modality}.npy`;
export const maskFile = (split: string, modality: string): string => `${split}_${modality}_mask.npy`;
export const groupFile = (split: string, group: string): string => `${split}_${group}.npy`;
export const PROFILE_FILE = 'profile.json';
export const MANIFEST_FILE = 'manifest.json';

/** The folder into which a validated dataset is written: little-endian arrays in C order and two JSON files. */
export class CanonicalFolder {
	readonly #folder: string;
	readonly #limit: number;
	readonly #digests = new Map<string, string>();
	readonly #written: string[] = [];
	#bytes = 0;

	private constructor(folder: string, limit: number) {
		this.#folder = folder;
		this.#limit = limit;
	}

	/** `folder` must exist and be empty; all arrays together may have `limit` bytes. */
	static async open(folder: string, limit: number): Promise<CanonicalFolder> {
		if ((await readdir(folder)).length > 0) throw new Error(`${folder} is not empty: a dataset is written into an empty folder`);
		return new CanonicalFolder(folder, limit);
	}

	/** The bytes of all arrays so far. */
	get bytes(): number {
		return this.#bytes;
	}

	/** How many bytes further arrays may have. */
	get room(): number {
		return this.#limit - this.#bytes;
	}

	/** Writes one array, to which `fill` appends exactly as many values as the shape has. Gives what `fill` gives. */
	async writeArray<T>(name: string, type: CanonicalType, shape: readonly number[], fill: (append: Append) => Promise<T>): Promise<T> {
		const header = encodeHeader(type, shape);
		const size = this.#take(name, type, shape);
		const hash = createHash('sha256');
		const file = await open(join(this.#folder, name), 'wx');
		this.#written.push(name);
		let position = 0;
		const put = async (bytes: Uint8Array): Promise<void> => {
			hash.update(bytes);
			await file.writeFile(bytes);
			position += bytes.length;
		};
		try {
			await put(header);
			const result = await fill((values) => put(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)));
			if (position !== size) throw new Error(`${name} was to have ${size} bytes, ${position} were written`);
			this.#digests.set(name, hash.digest('hex'));
			return result;
		} finally {
			await file.close();
		}
	}

	/** Moves an array into the folder, from the same disk, that is one of this form already. */
	async moveArray(path: string, name: string, type: CanonicalType, shape: readonly number[], sha256: string): Promise<void> {
		this.#take(name, type, shape);
		await rename(path, join(this.#folder, name));
		this.#written.push(name);
		this.#digests.set(name, sha256);
	}

	/** Takes the room of an array, whose bytes it gives. */
	#take(name: string, type: CanonicalType, shape: readonly number[]): number {
		const size = encodeHeader(type, shape).length + shape.reduce((product, axis) => product * axis, widthOf(type));
		this.#bytes += size;
		if (this.#bytes > this.#limit)
			throw refusal(name, `at most ${this.#limit} bytes in all arrays, as ${type}`, `${this.#bytes} with this one`);
		return size;
	}

	/** Reads back values of a mask that was written before. */
	async openMask(
		name: string,
		shape: readonly number[],
	): Promise<{ read(start: number, into: Uint8Array): Promise<void>; close(): Promise<void> }> {
		const { length } = encodeHeader('uint8', shape);
		const file = await open(join(this.#folder, name));
		return {
			read: async (start, into) => {
				const { bytesRead } = await file.read(into, 0, into.length, length + start);
				if (bytesRead < into.length) throw new Error(`${name} ends at ${start + bytesRead}`);
			},
			close: () => file.close(),
		};
	}

	/** The SHA-256 of one line `name sha256` per array, ordered by name: it depends on names and contents, and not on the order of writing. */
	digest(): string {
		const lines = [...this.#digests].map(([name, digest]) => `${name} ${digest}\n`).sort();
		return createHash('sha256').update(lines.join('')).digest('hex');
	}

	/** Writes a JSON file. */
	async writeJson(name: string, value: unknown): Promise<void> {
		this.#written.push(name);
		await writeFile(join(this.#folder, name), `${JSON.stringify(value, null, '\t')}\n`, { flag: 'wx' });
	}

	/** Removes everything that was written. */
	async discard(): Promise<void> {
		for (const name of this.#written) await rm(join(this.#folder, name), { force: true });
	}
}
