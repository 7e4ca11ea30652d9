import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Artifact } from '@steelyard/contracts';
import type { LocalStore } from '@steelyard/store';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
	'.json': 'application/json',
	'.jsonl': 'application/jsonl',
	'.md': 'text/markdown; charset=utf-8',
	'.onnx': 'application/octet-stream',
	'.parquet': 'application/vnd.apache.parquet',
	'.safetensors': 'application/octet-stream',
};

/** The trainer writes its files without the store. They have to be on the disk before a result names them. */
async function sync(path: string): Promise<void> {
	const file = await open(path, 'r+');
	try {
		await file.sync();
	} finally {
		await file.close();
	}
}

/** Size, checksum and content type of the files `names` below the key `prefix`, as a result lists them. Rejects where one is absent. */
export async function describeArtifacts(store: LocalStore, prefix: string, names: readonly string[]): Promise<Artifact[]> {
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
