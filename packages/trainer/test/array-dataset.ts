import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ingest } from '@steelyard/dataset';

/** The content of an `.npy` file, of the type that the class of `data` stands for. */
export type Npy = { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array | Uint8Array | BigInt64Array };

const DESCR: Readonly<Record<string, string>> = { Float32Array: '<f4', Int32Array: '<i4', Uint8Array: '|u1', BigInt64Array: '<i8' };
const descrOf = (data: Npy['data']): string => DESCR[data.constructor.name] as string;

function npy({ shape, data }: Npy): Uint8Array {
	const text = `{'descr': '${descrOf(data)}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
	const header = Buffer.from(`${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`);
	const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length & 255, header.length >> 8]);
	return Buffer.concat([start, header, new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)]);
}

/** A dataset on the disk: the folder of its files, the validated one, and how to remove both. */
export type StoredDataset = { readonly source: string; readonly folder: string; readonly remove: () => Promise<void> };

/** Stores and validates a dataset of arrays by name, `<split>_<modality>`, `<split>_<modality>_mask` and `<split>_labels`. */
export async function arrayDataset(arrays: Readonly<Record<string, Npy>>, manifest: object | null = null): Promise<StoredDataset> {
	const root = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
	const [source, folder] = [join(root, 'source'), join(root, 'dataset')];
	await mkdir(source);
	await mkdir(folder);
	for (const [name, array] of Object.entries(arrays)) await writeFile(join(source, `${name}.npy`), npy(array));
	if (manifest !== null) await writeFile(join(source, 'manifest.json'), JSON.stringify(manifest));
	await ingest(source, folder);
	return { source, folder, remove: () => rm(root, { recursive: true }) };
}
