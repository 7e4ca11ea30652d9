import { extname } from 'node:path';
import type { Artifact } from '@steelyard/contracts';
import type { AttemptFolder } from '@steelyard/store';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
	'.json': 'application/json',
	'.jsonl': 'application/jsonl',
	'.md': 'text/markdown; charset=utf-8',
	'.onnx': 'application/octet-stream',
	'.parquet': 'application/vnd.apache.parquet',
	'.safetensors': 'application/octet-stream',
};

/** Size, checksum and content type of what an attempt has made, as a result lists them, once the store has it. Rejects where a file is absent. */
export async function keepArtifacts(folder: Pick<AttemptFolder, 'keep'>, names: readonly string[]): Promise<Artifact[]> {
	const artifacts: Artifact[] = [];
	for (const name of names)
		artifacts.push({ name, ...(await folder.keep(name)), content_type: CONTENT_TYPES[extname(name)] ?? 'application/octet-stream' });
	return artifacts;
}
