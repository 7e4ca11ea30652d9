// `npm run study`: makes the datasets, runs every job that docs/study/results.jsonl lacks through a private service, and writes the report.
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createClient } from '../../packages/client/dist/index.js';
import { untilSignal } from '../../services/cli/dist/index.js';
import { filterOf, runJobs, studyJobs } from './jobs.js';
import { writeReport } from './report.js';
import { appendResult, isCurrent, keyOf, readResults } from './results.js';
import { startPrivate, trained, uploader } from './service.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
const say = (text = '') => process.stdout.write(`${text}\n`);

const USAGE = `npm run study -- [options]
  --data <folder>      the datasets (${join('..', 'shared', 'data')})
  --home <folder>      data of the private service, kept between runs (${join('out', 'study')})
  --parallel <n>       jobs at one time (2)
  --only <name=value>  a part: dataset, condition, method, seed; several by commas or by giving it again
  --report             writes the report from the results, and runs nothing
  --smoke              one seed, four epochs, results and report in the home folder: whether it all works`;

/** Trials are kept apart from the study. */
const placesOf = (/** @type {string} */ home, /** @type {boolean} */ smoke) =>
	smoke
		? { results: join(home, 'smoke', 'results.jsonl'), report: join(home, 'smoke') }
		: { results: join(here, 'results.jsonl'), report: here };

/** @param {ReturnType<typeof studyJobs>} jobs @param {{data: string, home: string, parallel: number, file: string}} how */
async function run(jobs, { data, home, parallel, file }) {
	const started = startPrivate(home, parallel);
	let stopping = false;
	const close = async () => {
		stopping = true;
		await started.then((service) => service.close()).catch(() => {});
	};
	const failures = [];
	const work = async () => {
		const client = createClient({ url: (await started).url });
		const datasetOf = uploader(client, { data, home });
		const began = performance.now();
		let ended = 0;
		await runJobs(jobs, {
			parallel: parallel + 1, // one waits, so that no worker does
			run: async (job) => trained(client, job, await datasetOf(job)),
			record: async ({ spec, ...key }, measured) => {
				await appendResult(file, { ...key, ...measured, spec });
				ended += 1;
				const minutes = ((performance.now() - began) / 60_000 / ended) * (jobs.length - ended);
				say(`${ended}/${jobs.length}  ${keyOf(key)}  ${measured.seconds.toFixed(1)} s; about ${minutes.toFixed(0)} min to go`);
			},
			failed: (job, error) => {
				failures.push(keyOf(job));
				process.stderr.write(`${error.message}\n`);
			},
			stopped: () => stopping,
		});
	};
	try {
		const code = await untilSignal(work(), close);
		return code ?? (failures.length > 0 ? 1 : 0);
	} finally {
		await close();
	}
}

async function main() {
	const { values } = parseArgs({
		options: {
			data: { type: 'string', default: join(root, '..', 'shared', 'data') },
			home: { type: 'string', default: join(root, 'out', 'study') },
			parallel: { type: 'string', default: '2' },
			only: { type: 'string', multiple: true, default: [] },
			report: { type: 'boolean', default: false },
			smoke: { type: 'boolean', default: false },
			help: { type: 'boolean', default: false },
		},
	});
	if (values.help) return say(USAGE);
	const parallel = Number(values.parallel);
	if (!(Number.isInteger(parallel) && parallel >= 1))
		throw new RangeError(`--parallel: expected a whole number of at least 1, found ${values.parallel}`);
	const home = resolve(values.home);
	const places = placesOf(home, values.smoke);
	await mkdir(home, { recursive: true });

	const jobs = studyJobs(values.smoke ? { epochs: 4 } : {});
	let results = await readResults(places.results);
	if (!values.report) {
		const passes = filterOf(values.smoke ? [...values.only, 'seed=1'] : values.only);
		const missing = jobs.filter((job) => passes(job) && !isCurrent(results.get(keyOf(job)), job.spec));
		say(`${missing.length} of ${jobs.length} jobs to run, ${parallel} at a time; interrupt and start again as you like.`);
		if (missing.length > 0) {
			process.exitCode = await run(missing, { data: resolve(values.data), home, parallel, file: places.results });
			results = await readResults(places.results);
		}
	}
	const current = jobs.flatMap((job) => {
		const result = results.get(keyOf(job));
		return result !== undefined && isCurrent(result, job.spec) ? [result] : [];
	});
	await writeReport(current, { folder: places.report, planned: jobs.length });
	say(`${current.length} of ${jobs.length} results in ${join(places.report, 'README.md')}`);
}

await main().catch((error) => {
	process.stderr.write(`${error.message}\n`);
	process.exitCode = 1;
});
process.exit(); // requests that were cut may hold the process
