import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tensor } from '@steelyard/runtime';
import { isFull } from '@steelyard/store';
import { reading } from './reading.js';
import { decodeSafetensors, safetensorsParts } from './safetensors.js';
import { writeWhole } from './whole-file.js';

/** What a checkpoint keeps: tensors by name and a header of plain data. */
export type Checkpoint<Header> = { readonly header: Header; readonly tensors: ReadonlyMap<string, Tensor> };

const KEPT = 2;
const folderOf = (output: string): string => join(output, 'checkpoints');
const byNumber = (a: string, b: string): number => Number.parseInt(a, 10) - Number.parseInt(b, 10);

async function checkpointsIn(output: string): Promise<string[]> {
	const names = await readdir(folderOf(output)).catch((error: NodeJS.ErrnoException) => {
		if (error.code === 'ENOENT') return [];
		throw error;
	});
	return names.filter((name) => /^\d+\.safetensors$/.test(name)).sort(byNumber);
}

/** Writes the next checkpoint whole or not at all, and removes all but the last two. Where no space is left it gives up the older of them first. Resolves with its size in bytes. */
export async function saveCheckpoint<Header>(output: string, { header, tensors }: Checkpoint<Header>): Promise<number> {
	const folder = folderOf(output);
	await mkdir(folder, { recursive: true });
	const existing = await checkpointsIn(output);
	const number = existing.length === 0 ? 0 : Number.parseInt(existing.at(-1) as string, 10) + 1;
	const parts = safetensorsParts(tensors, { steelyard: JSON.stringify(header) });
	const write = () => writeWhole(join(folder, `${number}.safetensors`), parts);
	const removeOlder = async () => {
		for (const name of existing.slice(0, existing.length + 1 - KEPT)) await rm(join(folder, name), { force: true });
	};
	await write().catch(async (error: unknown) => {
		if (!isFull(error) || existing.length < KEPT) throw error;
		await removeOlder();
		await write();
	});
	await removeOlder();
	return parts.reduce((sum, part) => sum + part.length, 0);
}

/** The newest whole checkpoint of the given attempts, newest attempt first; null where there is none. A damaged file is passed over for the one before it. */
export async function latestCheckpoint<Header>(outputs: readonly string[]): Promise<Checkpoint<Header> | null> {
	for (const output of outputs) {
		for (const name of (await checkpointsIn(output)).reverse()) {
			try {
				return reading(join(folderOf(output), name), (file) => {
					const { tensors, metadata } = decodeSafetensors(file);
					return { header: JSON.parse(metadata['steelyard'] as string) as Header, tensors };
				});
			} catch (error) {
				if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
			}
		}
	}
	return null;
}
