import { closeSync, fstatSync, openSync } from 'node:fs';
import { readBytes } from '../model/read-bytes.js';
import type { ByteSource } from './safetensors.js';

/** What `use` makes of a file, which may be larger than one array. */
export function reading<T>(path: string, use: (file: ByteSource) => T): T {
	const descriptor = openSync(path, 'r');
	try {
		return use({
			length: fstatSync(descriptor).size,
			read: (start, end) => readBytes(descriptor, start, end),
		});
	} finally {
		closeSync(descriptor);
	}
}
