import { readFile } from 'node:fs/promises';
import { InvalidArgumentError } from 'commander';
import { UsageError } from './output.js';

export async function readModel(path: string): Promise<Uint8Array> {
	return readFile(path).catch((error: NodeJS.ErrnoException) => {
		throw new UsageError(
			error.code === 'ENOENT' ? `${path} does not exist; expected an ONNX file` : `${path} cannot be read: ${error.message}`,
		);
	});
}

/** `batch=4,time=10` as sizes by name; given more than once, they add up. */
export function parseDims(text: string, before: Readonly<Record<string, number>> = {}): Record<string, number> {
	const dims: Record<string, number> = { ...before };
	for (const part of text.split(',')) {
		const [, name, size] = /^\s*(.+?)\s*=\s*(\d+)\s*$/.exec(part) ?? [];
		if (name === undefined || !(Number(size) >= 1 && Number.isSafeInteger(Number(size))))
			throw new InvalidArgumentError(`"${part}" is not of the form name=4`);
		dims[name] = Number(size);
	}
	return dims;
}

/** What the engine or the runtime says against the user's model, as a refusal of what was given. */
export function refused(error: unknown): never {
	const { name, code } = error as { name?: string; code?: string };
	if (name === 'GraphError' || (name === 'RuntimeError' && code === 'model_refused')) throw new UsageError((error as Error).message);
	throw error;
}
