import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { UsageError } from './output.js';

/** Reads a JSON file, or standard input where that is `-`. Throws UsageError where it is not JSON. */
export async function jsonFrom<T>(file: string): Promise<T> {
	const source = file === '-' ? text(process.stdin) : readFile(file, 'utf8');
	const json = await source.catch((error: Error) => {
		throw new UsageError(`${file} cannot be read: ${error.message}`);
	});
	try {
		return JSON.parse(json) as T;
	} catch (error) {
		const { jsonFault } = await import('@steelyard/contracts'); // its schemas take half a second to load
		throw new UsageError(`${file} is not valid JSON: ${jsonFault(json) ?? (error as Error).message}`);
	}
}
