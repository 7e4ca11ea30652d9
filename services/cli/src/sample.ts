import { createWriteStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import yauzl from 'yauzl';
import yazl from 'yazl';
import { shuffleRows } from './corrupt.js';

/** The dataset of the demo: real mail, described in sample/README.md. */
export const SAMPLE = fileURLToPath(new URL('../sample/spam-mail.zip', import.meta.url));

const openZip = promisify<string, yauzl.Options, yauzl.ZipFile>(yauzl.open);

/** The files in a zip archive, by name. */
async function members(path: string): Promise<Map<string, Buffer>> {
	const zip = await openZip(path, { lazyEntries: true });
	const read = promisify<yauzl.Entry, NodeJS.ReadableStream>((entry, done) =>
		zip.openReadStream(entry, (error, stream) => done(error, stream as NodeJS.ReadableStream)),
	);
	const files = new Map<string, Buffer>();
	return new Promise((resolve, reject) => {
		zip.on('error', reject);
		zip.on('end', () => resolve(files));
		zip.on('entry', (entry: yauzl.Entry) => {
			read(entry)
				.then((stream) => buffer(stream))
				.then((bytes) => {
					files.set(entry.fileName, bytes);
					zip.readEntry();
				}, reject);
		});
		zip.readEntry();
	});
}

/** Writes the sample to `target`, with one modality shuffled among a share of the instances of every split. Resolves with the shuffled rows by split. */
export async function corruptedSample(
	target: string,
	{ modality, share, seed }: { modality: string; share: number; seed: number },
): Promise<Map<string, Set<number>>> {
	const chosen = new Map<string, Set<number>>();
	const zip = new yazl.ZipFile();
	for (const [name, bytes] of await members(SAMPLE)) {
		const split = new RegExp(`^(.+)_${modality}\\.npy$`).exec(name)?.[1];
		if (split === undefined) zip.addBuffer(bytes, name, { compress: false });
		else {
			const corrupted = shuffleRows(bytes, share, seed, name);
			chosen.set(split, new Set(corrupted.chosen));
			zip.addBuffer(corrupted.npy, name, { compress: false });
		}
	}
	zip.end();
	await pipeline(zip.outputStream as NodeJS.ReadableStream, createWriteStream(target));
	return chosen;
}
