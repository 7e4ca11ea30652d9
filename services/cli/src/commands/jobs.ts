import type { JobRequest, JobResource, JobStatus } from '@steelyard/contracts';
import { type Command, Option } from 'commander';
import { connected } from '../connect.js';
import { curvesText } from '../curves-text.js';
import { writeArtifact } from '../download.js';
import { addDownload } from '../download-command.js';
import { type FindingOptions, findingOptions, foundBy } from '../finding.js';
import { followLog, printLines } from '../job-log.js';
import { jobText, mainMetric, metricText } from '../job-text.js';
import { jsonFrom } from '../json-file.js';
import { listCommand, nameText } from '../listing.js';
import { another, type Naming, namingOptions } from '../named-texts.js';
import { wholeNumber } from '../numbers.js';
import { withOptions } from '../options.js';
import { print, table, UsageError } from '../output.js';
import { setCommand } from '../set-command.js';
import { type Fields, setOption, withFields } from '../spec-options.js';
import { bytesText, timeText } from '../units.js';
import { watchJob } from '../watch-job.js';

/** The artifact that tells in words what a job came to. */
const REPORT = 'report.md';

type ContinueOptions = { epochs?: number; from: 'best' | 'last'; freshOptimizer?: boolean; watch?: boolean };

/** The spec of a job that goes on from another one: with its optimizer where that was kept and belongs to the parameters. */
function continued({ id, spec }: JobResource, { epochs, from: parameters, freshOptimizer = false }: ContinueOptions): JobRequest {
	const { training } = spec;
	const optimizer = parameters === 'last' && !freshOptimizer && (training.keep_state ?? 'optimizer') === 'optimizer';
	return {
		...spec,
		training: { ...training, ...(epochs === undefined ? {} : { epochs }), initialise_from: { job: id, parameters, optimizer } },
	};
}

/** A spec with the name and the metadata that options give it. What a file says is left for the service to judge. */
function named<T extends object>(spec: T, { name, metadata }: Naming): T & Naming {
	const { metadata: before } = spec as Naming;
	return {
		...spec,
		...(name === undefined ? {} : { name }),
		...(metadata === undefined ? {} : { metadata: { ...before, ...metadata } }),
	};
}

type CreateOptions = Naming & { dataset?: string; set?: Fields; watch?: boolean; idempotencyKey?: string };

/** The job that a file and options describe. What is wrong with it is for the service to say. */
async function specOf(file: string | undefined, { dataset, set, ...naming }: CreateOptions): Promise<JobRequest> {
	if (file === undefined && dataset === undefined) throw new UsageError('expected a file with a job, or --dataset ID');
	const given = file === undefined ? {} : await jsonFrom<Partial<JobRequest>>(file);
	return named(withFields({ ...given, ...(dataset === undefined ? {} : { dataset }) } as JobRequest, set), naming);
}

type Asked = FindingOptions & { status?: JobStatus[]; dataset?: string; sort?: string; order?: 'asc' | 'desc' };

/** The options by which jobs are found and sorted. */
const jobOptions = (): Option[] => [
	new Option('--status <status>', 'list those of this status, such as running; may be given several times').argParser(another),
	new Option('--dataset <id>', 'list those on this dataset'),
	...findingOptions(),
	new Option('--sort <metric>', 'sort by a metric of a split, such as validation.accuracy, the largest first; jobs without it come last'),
	new Option('--order <order>', 'desc: the newest or largest first; asc: the oldest or smallest').choices(['asc', 'desc']),
];

export function jobs(group: Command): void {
	const creating = group
		.command('create [spec]')
		.description('create the job that a JSON file and options describe; - reads the file from standard input')
		.option('--dataset <id>', 'the dataset to train on')
		.addOption(setOption())
		.option('--watch', 'show the job until it ends; exits with 1 where it fails')
		.option('--idempotency-key <key>', 'two requests with the same key create one job');
	withOptions(creating, namingOptions()).action(async (file: string | undefined, options: CreateOptions, command: Command) => {
		const { client, json } = connected(command);
		const { idempotencyKey } = options;
		const job = await client.jobs.create(await specOf(file, options), idempotencyKey === undefined ? {} : { idempotencyKey });
		if (options.watch) process.exitCode = await watchJob(client, job, json);
		else print(json, job, jobText(job));
	});
	group
		.command('continue <job>')
		.description('create a job like one that has succeeded, which begins with its parameters and trains more epochs')
		.option('--epochs <count>', 'most epochs to train; as many as that job was given unless said', wholeNumber(1))
		.addOption(new Option('--from <epoch>', 'whose parameters it begins with').choices(['last', 'best']).default('last'))
		.option('--fresh-optimizer', 'begin with a new optimizer, also where that of the last epoch could go on')
		.option('--watch', 'show the job until it ends; exits with 1 where it fails')
		.action(async (id: string, options: ContinueOptions, command: Command) => {
			const { client, json } = connected(command);
			const job = await client.jobs.create(continued(await client.jobs.get(id), options));
			if (options.watch) process.exitCode = await watchJob(client, job, json);
			else print(json, job, jobText(job));
		});
	listCommand<JobResource, Asked>(group, {
		plural: 'jobs',
		heading: ['id', 'name', 'status', 'family', 'weighting', 'dataset', 'size', 'created', 'main metric'],
		optional: ['dataset', 'created', 'family', 'weighting', 'size', 'main metric', 'name'],
		options: jobOptions(),
		row: (job, { sort }) => [
			job.id,
			nameText(job.spec.name),
			job.status === 'running' ? `running ${Math.floor(job.progress * 100)} %` : job.status,
			job.spec.model.family,
			job.spec.weighting.preset,
			job.spec.dataset,
			job.bytes === undefined ? '' : bytesText(job.bytes),
			timeText(job.created_at),
			sort === undefined || sort === 'created' ? mainMetric(job) : metricText(job, sort),
		],
		page: (client, query, { status, dataset, sort, order, ...asked }) =>
			client.jobs.list({
				...query,
				...foundBy(asked),
				...(status === undefined ? {} : { status }),
				...(dataset === undefined ? {} : { dataset }),
				...(sort === undefined ? {} : { sort }),
				...(order === undefined ? {} : { order }),
			}),
	});
	group
		.command('show <job>')
		.alias('get')
		.description('show one job: its progress, metrics, weights and artifacts')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const job = await client.jobs.get(id);
			print(json, job, jobText(job));
		});
	group
		.command('watch <job>')
		.description('show a job until it ends; exits with 1 where it fails')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			process.exitCode = await watchJob(client, await client.jobs.get(id), json);
		});
	for (const [name, description] of [
		['cancel', 'cancel a job'],
		['pause', 'pause a job, which keeps its checkpoint and frees its worker'],
		['resume', 'let a paused or cancelled job go on from its last checkpoint'],
	] as const) {
		group
			.command(`${name} <job>`)
			.description(description)
			.action(async (id: string, _options: unknown, command: Command) => {
				const { client, json } = connected(command);
				const job = await client.jobs[name](id);
				print(json, job, jobText(job));
			});
	}
	setCommand<JobResource>(group, 'job', {
		mayBeNameless: true,
		update: (client, id, change, isNameless) => client.jobs.update(id, isNameless ? { ...change, name: null } : change),
		text: jobText,
	});
	group
		.command('remove <job>')
		.alias('delete')
		.description('delete a job that has ended, with its events and artifacts')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const job = await client.jobs.get(id);
			await client.jobs.remove(id);
			print(json, job, `removed ${id} with everything that it made`);
		});
	group
		.command('logs <job>')
		.description('show the log of a job: its attempts, what they waited for and warned of, and what the trainer wrote')
		.option('--lines <count>', 'how many of the last lines, 1 to 1000', wholeNumber(1, 1000), 200)
		.option('--follow', 'go on until the job has ended')
		.action(async (id: string, { lines, follow = false }: { lines: number; follow?: boolean }, command: Command) => {
			const { client, json } = connected(command);
			const { data } = await client.jobs.logs(id, { limit: lines });
			printLines(json, data);
			if (follow) await followLog(client, id, data.at(-1)?.id, (more) => printLines(json, more));
			else if (data.length === 0 && !json) process.stderr.write('Nothing was logged of this job yet.\n');
		});
	group
		.command('curves <job>')
		.description('show the losses, metrics and weights of a job over its epochs')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const curves = await client.jobs.metrics(id);
			if (curves.epochs.length === 0 && !json) process.stderr.write('The job has not trained an epoch yet.\n');
			else print(json, curves, curvesText(curves));
		});
	group
		.command('artifacts <job>')
		.description('list what a job has produced, with sizes and checksums')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const list = await client.jobs.artifacts(id);
			const rows = list.data.map(({ name, bytes, sha256 }) => [name, bytesText(bytes), sha256]);
			if (rows.length === 0 && !json) process.stderr.write('The job has produced nothing yet.\n');
			else print(json, list, table([['artifact', 'size', 'sha256'], ...rows]));
		});
	group
		.command('report <job>')
		.description('print the model card of a job: what it is, how good, what happens when a modality breaks, its limits')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			if (json) print(json, { report: await (await client.jobs.download(id, REPORT)).text() }, '');
			else await writeArtifact(client, id, REPORT, process.stdout);
		});
	addDownload(group, 'download the model that a job trained, or another of its artifacts');
}
