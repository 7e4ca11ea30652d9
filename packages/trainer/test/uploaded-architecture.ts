import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CustomConfig, TaskProfile } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/family';
import { afterAll, beforeAll } from 'vitest';
import { customArchitecture } from '../src/custom/custom-architecture.js';
import { readGraphFile } from '../src/custom/graph-file.js';
import { openUploaded } from '../src/custom/uploaded.js';
import type { Architecture } from '../src/model/architecture.js';

let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'steelyard-uploaded-'));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;

/** A serialised graph as an architecture of a job without weighting; its file is there until the tests of the importing file have ended. */
export async function uploadedArchitecture(
	bytes: Uint8Array,
	config: Omit<CustomConfig, 'family' | 'model'>,
	task: TaskProfile,
	modalities: readonly ModalityShape[],
): Promise<Architecture> {
	const path = join(folder, `${files++}.onnx`);
	await writeFile(path, bytes);
	const uploaded = await openUploaded(
		await readGraphFile(path),
		{ family: 'custom', model: 'mdl_1', ...config },
		{
			...{ modalities, dataset: { task, modalities: {} }, weighted: false, batch: 8 },
		},
	);
	return customArchitecture(uploaded, modalities, modalities);
}
