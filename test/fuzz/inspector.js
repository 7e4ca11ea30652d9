// Inspects one model after the other as the worker's process does that inspects one, and tells what came of each. It saves the start of the engine.
import { readFile } from 'node:fs/promises';
import { inspectModel, isZip, readModelArchive } from '@steelyard/model-file';

/** The errors that a refusal may be. */
const KNOWN = new Set(['GraphError', 'RuntimeError']);

process.on('message', async ({ path }) => {
	let outcome;
	try {
		const { blockers } = await inspectModel((await isZip(path)) ? await readModelArchive(path) : await readFile(path));
		outcome =
			blockers.length === 0 ? 'accepted' : blockers.every(({ code, message }) => code && message) ? 'refused' : 'a blocker without words';
	} catch (error) {
		outcome = KNOWN.has(error.name) && error.message !== '' ? 'refused' : error.stack;
	}
	process.send({ outcome });
});
process.on('disconnect', () => process.exit());
