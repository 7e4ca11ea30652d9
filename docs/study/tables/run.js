// `npm run study:tables`: takes tables that were never seen while this was built, trains on each by one command with nothing tuned, holds the result against scikit-learn on
// the same rows, and the model that was exported against the figures of its job. Writes results.json and docs/study/tables.md (then `npm run format`). With --report it only writes the page.
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pageOf } from './page.js';

const here = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));
const root = here('../../../');
const folder = join(root, 'out/study/tables');
const RESULTS = here('results.json');
const PYTHON = process.env.STEELYARD_PYTHON || 'python3';
const PACKAGES = ['numpy', 'pandas', 'sklearn', 'onnxruntime'];

/** Runs a command and gives what it printed as JSON. @param {string} command @param {readonly string[]} args */
async function answerOf(command, ...args) {
	const { stdout } = await promisify(execFile)(command, args, { cwd: folder, maxBuffer: 1e9 });
	return JSON.parse(stdout);
}

/** Trains on a table and judges what came of it. @param {string} name @param {{ label: string }} table */
async function study(name, { label }) {
	const began = performance.now();
	const model = `${name}.onnx`;
	const steelyard = join(root, 'services/cli/bin/steelyard.js');
	const job = await answerOf(
		process.execPath,
		steelyard,
		'--json',
		'train',
		`${name}.csv`,
		'--label',
		label,
		'--manifest',
		'split.json',
		'--home',
		'home',
		'-o',
		model,
	);
	const seconds = (performance.now() - began) / 1000;
	const judged = await answerOf(PYTHON, here('judge.py'), `${name}.csv`, label, model);
	const reported = job.result.metrics.test;
	for (const [metric, value] of Object.entries(judged.fed))
		if (!(Math.abs(value - reported[metric]) <= 1e-6 * Math.max(1, Math.abs(value))))
			throw new Error(
				`${name}: the job says a ${metric} of ${reported[metric]}, and the model that it exported gives ${value} on the same rows`,
			);
	return {
		...judged,
		ours: reported,
		seconds,
		warnings: (job.result.warnings ?? []).map((/** @type {{ code: string }} */ { code }) => code),
	};
}

async function run() {
	await mkdir(folder, { recursive: true });
	await promisify(execFile)(PYTHON, ['-c', `import ${PACKAGES.join(', ')}`]);
	await writeFile(join(folder, 'split.json'), JSON.stringify({ split: 'split' }));
	const tables = await answerOf(PYTHON, here('sources.py'), folder);
	const results = [];
	for (const [name, table] of Object.entries(tables)) {
		console.error(`${name} …`);
		results.push({ name, ...table, ...(await study(name, table)) });
	}
	await rm(join(folder, 'home'), { recursive: true });
	return { date: new Date().toISOString().slice(0, 10), tables: results };
}

if (!process.argv.includes('--report')) await writeFile(RESULTS, `${JSON.stringify(await run(), null, '\t')}\n`);
await writeFile(here('../tables.md'), await pageOf(JSON.parse(await readFile(RESULTS, 'utf8'))));
process.exit(); // what a service leaves may hold the process
