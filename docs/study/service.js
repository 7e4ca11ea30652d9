// The study's own service, and one job through its API.
import { createHash } from 'node:crypto';
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import yazl from 'yazl';
import { startService } from '../../services/cli/dist/index.js';
import { conditionFiles, readSource } from './conditions.js';
import { keyOf } from './results.js';

/** @typedef {import('../../packages/client/dist/index.js').Client} Client */
/** @typedef {import('./jobs.js').StudyJob} StudyJob */

/** Settings of a service that a private one must not take over. */
const FOREIGN = ['REDIS_URL', 'STEELYARD_REDIS', 'STEELYARD_PREFIX', 'STEELYARD_API_KEY', 'HOST', 'PORT', 'LOG'];

/**
 * @param {string} home data folder; kept, so that jobs that were cut off go on from their checkpoints
 * @param {number} parallel jobs at one time
 */
export function startPrivate(home, parallel) {
	const env = { ...process.env, STEELYARD_CONCURRENCY: String(parallel) };
	for (const name of FOREIGN) delete env[name];
	return startService({ home, port: 0, env, notify: (message) => process.stderr.write(`${message}\n`) });
}

/** @param {ReadonlyMap<string, Buffer>} files */
function zipped(files) {
	const zip = new yazl.ZipFile();
	for (const [name, bytes] of files) zip.addBuffer(bytes, name, { compress: false });
	zip.end();
	return buffer(/** @type {NodeJS.ReadableStream} */ (zip.outputStream));
}

/** @param {ReadonlyMap<string, Buffer>} files */
function digestOf(files) {
	const hash = createHash('sha256');
	for (const [name, bytes] of files) hash.update(`${name} ${bytes.length}\n`).update(bytes);
	return hash.digest('hex');
}

/**
 * Uploads the dataset of a job, once: what was uploaded before, also by an earlier run on the same home, is taken again.
 * @param {Client} client
 * @param {{data: string, home: string}} where the folder of datasets, the service's home
 * @returns {(job: StudyJob) => Promise<{id: string, sha256: string}>}
 */
export function uploader(client, { data, home }) {
	const ledger = join(home, 'study-datasets.jsonl');
	/** @type {Map<string, Promise<{id: string, sha256: string}>>} */
	const uploads = new Map();
	/** @param {StudyJob} job */
	async function upload({ dataset, condition, seed }) {
		const files = conditionFiles(await readSource(join(data, dataset)), dataset, condition, seed);
		const digest = digestOf(files);
		const lines = (await readFile(ledger, 'utf8').catch(() => '')).split('\n').filter((line) => line.startsWith(`{"digest":"${digest}"`));
		for (const line of lines) {
			const known = await client.datasets.get(JSON.parse(line).id).catch(() => null);
			if (known !== null) return known;
		}
		const made = await client.datasets.create(new Blob([await zipped(files)]), `${dataset}.zip`);
		await appendFile(ledger, `${JSON.stringify({ digest, id: made.id })}\n`);
		return made;
	}
	return (job) => {
		const name = `${job.dataset}/${job.condition}/${job.seed}`;
		const known = uploads.get(name) ?? upload(job);
		uploads.set(name, known);
		return known;
	};
}

/** How often a job that failed or was cancelled in an earlier run is posted anew. */
const TRIES = 10;

/**
 * Posts a job and waits for its end. The idempotency key brings a job that an earlier run had posted back. Throws Error where it fails.
 * @param {Client} client
 * @param {StudyJob} job
 * @param {{id: string, sha256: string}} dataset
 * @returns {Promise<import('./results.js').Measured>}
 */
export async function trained(client, job, dataset) {
	const spec = { ...job.spec, dataset: dataset.id };
	const digest = createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 32);
	let posted = await client.jobs.create(spec, { idempotencyKey: `study-${digest}-0` });
	for (let tried = 1; tried < TRIES && (posted.status === 'failed' || posted.status === 'cancelled'); tried++)
		posted = await client.jobs.create(spec, { idempotencyKey: `study-${digest}-${tried}` });
	for await (const _ of client.jobs.events(posted.id));
	const { status, error, result } = await client.jobs.get(posted.id);
	if (status !== 'succeeded' || result === null)
		throw new Error(`${keyOf(job)}, ${posted.id}, has ${status}: ${error?.message ?? 'see its events'}`);
	const { metrics, unimodal, modality_weights: weights, best_epoch, epochs, parameters, seconds } = result;
	return { metrics, unimodal, weights, best_epoch, epochs, parameters, seconds, data: dataset.sha256 };
}
