import { readdir } from 'node:fs/promises';
import { ProblemError } from '@steelyard/contracts';
import { expect } from 'vitest';
import { ingest, type Limits } from '../src/index.js';
import { temporaryFolders } from './temporary-folder.js';
import { type Files, writeFiles } from './write-npy.js';

/** Ingests a folder with these files; `folder` is where the canonical form lies. */
export async function ingestFiles(files: Files, limits?: Partial<Limits>) {
	const { source, target } = await temporaryFolders();
	await writeFiles(source, files);
	return { ...(await ingest(source, target, limits)), folder: target };
}

/** Asserts that a source is refused with this message and param, and that nothing is left behind. */
export async function refusedSource(
	source: string,
	target: string,
	message: RegExp | string,
	param: string | null,
	limits?: Partial<Limits>,
): Promise<void> {
	const error = await ingest(source, target, limits).then(
		() => null,
		(reason: unknown) => reason,
	);
	expect(error).toBeInstanceOf(ProblemError);
	const problem = error as ProblemError;
	expect(problem.message).toMatch(message);
	expect([problem.code, problem.param]).toEqual(['invalid_dataset', param]);
	expect(await readdir(target)).toEqual([]);
}

export async function refused(files: Files, message: RegExp | string, param: string | null, limits?: Partial<Limits>): Promise<void> {
	const { source, target } = await temporaryFolders();
	await writeFiles(source, files);
	await refusedSource(source, target, message, param, limits);
}
