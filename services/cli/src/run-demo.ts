import { openAsBlob } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { type Client, createClient } from '@steelyard/client';
import type { JobResource } from '@steelyard/contracts';
import { ingest, openDataset } from '@steelyard/dataset';
import { createSession } from '@steelyard/runtime';
import { evaluateModel } from '@steelyard/trainer';
import { downloadArtifact } from './download.js';
import { table } from './output.js';
import { type Progress, progressOn } from './progress.js';
import { corruptedSample, SAMPLE } from './sample.js';
import { type Service, startService } from './service.js';
import { untilSignal } from './until-signal.js';

const CORRUPTED = { modality: 'body', share: 0.3, seed: 7 };
const PRESETS = ['uniform', 'btw', 'consensus'] as const;
const TRAINING = { epochs: 30, batch_size: 32, optimizer: { name: 'adamw', learning_rate: 5e-4, weight_decay: 0.01 }, seed: 1 } as const;

const say = (text = ''): boolean => process.stdout.write(`${text}\n`);
const figure = (value: number | null | undefined): string => (typeof value === 'number' ? value.toFixed(4) : '–');

/** Trains a job under a preset while its progress is shown. Throws Error where it does not succeed. */
async function trained(client: Client, dataset: string, preset: (typeof PRESETS)[number], progress: Progress): Promise<JobResource> {
	const job = await client.jobs.create({
		dataset,
		model: { family: 'mlp-fusion', hidden: 64 },
		weighting: preset === 'btw' ? { preset, refresh_epochs: 2 } : { preset },
		training: TRAINING,
	});
	say(`\n${job.id}  weighting ${preset}`);
	await progress.follow(job, client.jobs.events(job.id));
	const ended = await client.jobs.get(job.id);
	if (ended.status !== 'succeeded') throw new Error(`the job ${job.id} is ${ended.status}: ${ended.error?.message ?? 'see its events'}`);
	return ended;
}

/**
 * Runs a downloaded model over the test rows; resolves with the mean weight of the corrupted modality where it is intact and where it is shuffled.
 * Throws Error where the model does not give the reported figures to the last bit.
 */
async function checked(job: JobResource, file: string, datasetFolder: string, corrupted: ReadonlySet<number>) {
	const dataset = openDataset(datasetFolder);
	const { profile } = dataset;
	const split = dataset.split('test');
	const examples = { name: 'test', split, rows: Uint32Array.from({ length: split.rows }, (_, row) => row) };
	const modalities = Object.entries(profile.modalities).map(([name, { shape }]) => ({ name, shape, maskedSteps: false }));
	const session = await createSession(file, { threads: job.spec.training.threads });
	const { metrics, weights } = await evaluateModel(session, examples, { modalities, masked: new Set(), task: profile.task });
	await session.release();
	dataset.close();
	for (const [name, value] of Object.entries(job.result?.metrics['test'] ?? {}))
		if (metrics[name] !== value)
			throw new Error(`the downloaded model gives ${name} ${metrics[name]} on the test rows, but the job reported ${value}`);
	const column = modalities.findIndex(({ name }) => name === CORRUPTED.modality);
	const meanOver = (wanted: boolean): number => {
		const rows = [...examples.rows].filter((row) => corrupted.has(row) === wanted);
		return rows.reduce((sum, row) => sum + (weights[row * modalities.length + column] as number), 0) / rows.length;
	};
	return { intact: meanOver(false), shuffled: meanOver(true) };
}

function comparison(jobs: readonly JobResource[]): string {
	const metrics = ['accuracy', 'auroc', 'auprc', 'loss'];
	const last = jobs.at(-1) as JobResource;
	const rows = [
		...jobs.map((job) => [job.spec.weighting.preset, ...metrics.map((name) => figure(job.result?.metrics['test']?.[name]))]),
		...Object.entries(last.result?.unimodal ?? {}).map(([modality, splits]) => [
			`${modality} alone`,
			...metrics.map((name) => figure(splits['test']?.[name])),
		]),
	];
	const modalities = Object.keys(last.result?.modality_weights ?? {});
	const weights = jobs.map((job) => [
		job.spec.weighting.preset,
		...modalities.map((modality) => figure(job.result?.modality_weights[modality]?.mean)),
	]);
	return `${table([['test split', ...metrics], ...rows])}\n\n${table([['mean weight of', ...modalities], ...weights])}`;
}

/** A sentence on what a preset does to the AUROC that uniform weights give, or on why its guard kept it from doing anything. */
function verdictOn(job: JobResource, uniform: JobResource): string {
	const { preset } = job.spec.weighting;
	const guarded = job.result?.warnings?.find((warning) => warning.guarded === true);
	if (guarded !== undefined)
		return `The guard of ${preset} acted, so that its rows are those of a model without weights: ${guarded.message}.`;
	const gain = (job.result?.metrics['test']?.['auroc'] ?? 0) - (uniform.result?.metrics['test']?.['auroc'] ?? 0);
	const verb = Math.abs(gain) < 0.001 ? 'makes no difference to' : gain > 0 ? 'raises' : 'lowers';
	return `On this dataset and seed ${preset} ${verb} the AUROC of uniform weights (${gain >= 0 ? '+' : '−'}${Math.abs(gain).toFixed(4)}).`;
}

/** The demo itself: uploads the sample, trains, compares, writes the results to `output` and says what to do next. */
async function show(folder: string, started: Promise<Service>, output: string): Promise<void> {
	const { url } = await started;
	say(`The service runs at ${url}, with its data in a temporary folder.`);
	const client = createClient({ url });
	const upload = join(folder, 'spam-mail.zip');
	const chosen = await corruptedSample(upload, CORRUPTED);
	const dataset = await client.datasets.create(await openAsBlob(upload), 'spam-mail.zip');
	const rows = Object.entries(dataset.splits).map(([name, split]) => `${name} ${split.rows}`);
	say(`Uploaded ${dataset.id}: ${dataset.title ?? dataset.name}; rows: ${rows.join(', ')}.`);
	say(`In ${CORRUPTED.share * 100} % of the messages the modality "${CORRUPTED.modality}" is that of another message.`);

	const progress = progressOn(process.stdout);
	const jobs: JobResource[] = [];
	for (const preset of PRESETS) jobs.push(await trained(client, dataset.id, preset, progress));

	const local = join(folder, 'dataset');
	await mkdir(local);
	await ingest(upload, local);
	await mkdir(output, { recursive: true });
	let trust = { intact: 1, shuffled: 1 };
	for (const job of jobs) {
		const file = join(folder, `${job.id}.onnx`);
		await downloadArtifact(client, job.id, 'model.onnx', file);
		trust = await checked(job, file, local, chosen.get('test') ?? new Set());
	}
	const [uniform, ...weighted] = jobs as [JobResource, ...JobResource[]];
	const last = weighted.at(-1) as JobResource;
	for (const name of ['model.onnx', 'report.json', 'metrics.json']) await downloadArtifact(client, last.id, name, join(output, name));
	const report = JSON.parse(await readFile(join(output, 'report.json'), 'utf8')) as object;
	await writeFile(
		join(output, 'report.json'),
		`${JSON.stringify({ ...report, compared_with: Object.fromEntries(jobs.slice(0, -1).map((job) => [job.spec.weighting.preset, job.result])) }, null, '\t')}\n`,
	);

	say(`\nAll downloaded models give exactly the reported figures on the ${dataset.splits['test']?.rows} held-out messages.\n`);
	say(comparison(jobs));
	say(`\n${weighted.map((job) => verdictOn(job, uniform)).join('\n')}\nOne seed proves nothing; docs/study has five on four datasets.`);
	say(
		`Under ${last.spec.weighting.preset} the modality "${CORRUPTED.modality}" weighs ${figure(trust.intact)} where it is intact and ${figure(trust.shuffled)} where it is shuffled.`,
	);
	const at = (path: string): string => relative(process.cwd(), path) || '.';
	say(`\nIn ${at(output)}:`);
	say(
		table([
			['  model.onnx', `the model that was trained last, with the weighting ${last.spec.weighting.preset}`],
			['  report.json', 'its spec, dataset and result, and the results of the others'],
			['  metrics.json', 'its loss, metrics and weights, epoch by epoch'],
		]),
	);
	say('\nNext (the last one in a second terminal):');
	say(
		table([
			[`  npx steelyard inspect ${at(join(output, 'model.onnx'))}`, 'see the model'],
			['  npm start', 'run the service'],
			[`  npx steelyard datasets add ${at(SAMPLE)}`, 'upload the sample'],
		]),
	);
}

/** Runs the demo with a service of its own in a temporary folder, until it is done or told to end; the last model and its report go to the folder `output`. */
export async function runDemo(output: string): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), 'steelyard-demo-'));
	const started = startService({ home: join(folder, 'home'), port: 0, notify: (message) => process.stderr.write(`${message}\n`) });
	let closed: Promise<void> | null = null;
	const close = (): Promise<void> => {
		closed ??= started.then(
			(service) => service.close(),
			() => {},
		);
		return closed;
	};
	try {
		const work = show(folder, started, resolve(output));
		work.catch(() => {}); // it fails when the service is stopped under it, which is no error
		const code = await untilSignal(work, close);
		if (code !== null) process.exitCode = code;
	} finally {
		await close();
		await rm(folder, { recursive: true, force: true });
	}
	if (process.exitCode) process.exit(); // requests that were cut may hold the process
}
