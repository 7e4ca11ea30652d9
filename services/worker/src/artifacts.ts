import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Artifact } from '@steelyard/contracts';
import type { Store } from '@steelyard/store';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
	'.json': 'application/json',
	'.jsonl': 'application/jsonl',
	'.onnx': 'application/octet-stream',
	'.parquet': 'application/vnd.apache.parquet',
	'.safetensors': 'application/octet-stream',
};

/** The trainer wrote them past the store: before a result names them, they have to be on disk. */
async function sync(path: string): Promise<void> {
	const file = await open(path, 'r+');
	try {
		await file.sync();
	} finally {
		await file.close();
	}
}

/** What a result says of the files `names` below `prefix`. Rejects where one is absent. */
export async function describeArtifacts(store: Store, prefix: string, names: readonly string[]): Promise<Artifact[]> {
	const artifacts: Artifact[] = [];
	for (const name of names) {
		const key = `${prefix}/${name}`;
		await sync(store.path(key));
		const digest = await store.digest(key);
		if (digest === null) throw new Error(`the trainer names the artifact ${name}, which is not in ${prefix}`);
		artifacts.push({ name, ...digest, content_type: CONTENT_TYPES[extname(name)] ?? 'application/octet-stream' });
	}
	return artifacts;
}
