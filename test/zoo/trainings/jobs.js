// Trains what `generate.py --jobs` made as jobs, and holds the losses against PyTorch's: `node test/zoo/trainings/jobs.js OUT [name …]`.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { furthest, relativeDifference } from './follows.js';
import { trainJob } from './train-job.js';

async function judge(/** @type {string} */ folder) {
	const { found, expected, exact } = await trainJob(folder);
	const { share, step } = furthest(found, expected, exact);
	const line = `${found[0]?.toFixed(5)} → ${found.at(-1)?.toFixed(5)}, expected ${expected.at(-1)?.toFixed(5)}`;
	const difference = relativeDifference(found, expected).toExponential(1);
	return {
		follows: share <= 1,
		words: `${line}; relative difference ${difference}; furthest at step ${step}, ${share.toFixed(2)} of the tolerance`,
	};
}

const [out = '', ...names] = process.argv.slice(2);
const folders =
	names.length > 0 ? names : (await readdir(out, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
for (const name of folders.sort()) {
	const { follows, words } = await judge(join(out, name)).catch((error) => ({
		follows: false,
		words: String(error.message).slice(0, 400),
	}));
	if (!follows) process.exitCode = 1;
	process.stdout.write(`${name.padEnd(14)} ${follows ? 'follows' : 'FAILS'}  ${words}\n`);
}
