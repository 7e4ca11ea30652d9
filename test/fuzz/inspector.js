// A child of the fuzz test: inspects mutants of models that it is told of, and tells what came of each.
import { readFileSync } from 'node:fs';
import { inspectModel } from '@steelyard/model-file';
import { mutant } from './mutate.js';

/** The errors that a refusal may be. */
const KNOWN = new Set(['GraphError', 'RuntimeError']);

process.on('message', async ({ path, seed }) => {
	let outcome;
	try {
		const { blockers } = await inspectModel(mutant(readFileSync(path), seed));
		outcome =
			blockers.length === 0 ? 'accepted' : blockers.every(({ code, message }) => code && message) ? 'refused' : 'a blocker without words';
	} catch (error) {
		outcome = KNOWN.has(error.name) && error.message !== '' ? 'refused' : error.stack;
	}
	process.send({ outcome, rss: process.memoryUsage.rss() });
});
process.on('disconnect', () => process.exit());
