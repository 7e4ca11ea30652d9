import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

const made: string[] = [];

/** A new folder with an empty `source` and `target` in it; gone after the test. */
export async function temporaryFolders(): Promise<{ source: string; target: string; root: string }> {
	const root = await mkdtemp(join(tmpdir(), 'steelyard-dataset-'));
	made.push(root);
	const [source, target] = [join(root, 'source'), join(root, 'target')];
	await mkdir(source);
	await mkdir(target);
	return { source, target, root };
}

afterEach(async () => {
	for (const folder of made.splice(0)) await rm(folder, { recursive: true });
});
