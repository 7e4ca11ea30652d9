import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { Client } from '@steelyard/client';
import type { JobResource } from '@steelyard/contracts';
import type { Command } from 'commander';
import { connected } from '../connect.js';
import { EXIT, print, table, UsageError } from '../output.js';
import { progressOn } from '../progress.js';

const rounded = (value: number | null): string => (value === null ? '–' : value.toFixed(4));

function shown(job: JobResource): string {
	const rows = [
		['id', job.id],
		['status', job.status + (job.stage === null ? '' : `, ${job.stage}`)],
		['progress', `${Math.round(job.progress * 100)} %`],
		['dataset', job.spec.dataset],
		['weighting', job.spec.weighting.preset],
	];
	if (job.device !== null) rows.push(['device', job.device.provider + (job.device.note === null ? '' : ` (${job.device.note})`)]);
	if (job.error !== null) rows.push(['error', `${job.error.message} (${job.error.code})`]);
	for (const [split, metrics] of Object.entries(job.result?.metrics ?? {}))
		rows.push([
			split,
			Object.entries(metrics)
				.map(([name, value]) => `${name} ${rounded(value)}`)
				.join('  '),
		]);
	for (const [modality, { mean, p10, p90 }] of Object.entries(job.result?.modality_weights ?? {}))
		rows.push([`weight ${modality}`, `${rounded(mean)} (10 % below ${rounded(p10)}, 10 % above ${rounded(p90)})`]);
	return table(rows);
}

async function specFrom(file: string): Promise<{ dataset: string }> {
	const source = file === '-' ? text(process.stdin) : readFile(file, 'utf8');
	const json = await source.catch((error: Error) => {
		throw new UsageError(`${file} cannot be read: ${error.message}`);
	});
	try {
		return JSON.parse(json) as { dataset: string };
	} catch (error) {
		throw new UsageError(`${file} is not JSON: ${(error as Error).message}`);
	}
}

/** Shows a job until it ends; Ctrl-C leaves it running. Gives the exit code. */
async function watch(client: Client, id: string, json: boolean): Promise<number> {
	const leaving = new AbortController();
	const leave = (): void => leaving.abort();
	process.once('SIGINT', leave);
	const progress = progressOn(process.stderr);
	try {
		for await (const event of client.jobs.events(id, { signal: leaving.signal })) progress.show(event);
	} finally {
		progress.end();
		process.off('SIGINT', leave);
	}
	const job = await client.jobs.get(id);
	const goesOn = job.finished_at === null;
	if (goesOn) process.stderr.write(`${id} goes on; watch it again by: npx steelyard jobs watch ${id}\n`);
	print(json, job, shown(job));
	return goesOn ? 130 : job.status === 'succeeded' ? EXIT.done : EXIT.failed;
}

export function jobs(program: Command): void {
	const group = program.command('jobs').description('post and watch training jobs');
	group
		.command('create <spec>')
		.description('post the job in a JSON file, or - for standard input')
		.option('--watch', 'show it until it ends')
		.option('--idempotency-key <key>', 'posting twice with one key makes one job')
		.action(async (file: string, options: { watch?: boolean; idempotencyKey?: string }, command: Command) => {
			const { client, json } = connected(command);
			const { idempotencyKey } = options;
			const job = await client.jobs.create(await specFrom(file), idempotencyKey === undefined ? {} : { idempotencyKey });
			if (options.watch) process.exitCode = await watch(client, job.id, json);
			else print(json, job, shown(job));
		});
	group
		.command('list')
		.description('the newest jobs')
		.option('--limit <count>', 'how many, 1 to 100', '20')
		.action(async ({ limit }: { limit: string }, command: Command) => {
			const { client, json } = connected(command);
			const { data } = await client.jobs.list({ limit: Number(limit) });
			print(
				json,
				data,
				table([
					['id', 'status', 'progress', 'weighting'],
					...data.map((j) => [j.id, j.status, `${Math.round(j.progress * 100)} %`, j.spec.weighting.preset]),
				]),
			);
		});
	group
		.command('get <id>')
		.description('one job')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const job = await client.jobs.get(id);
			print(json, job, shown(job));
		});
	group
		.command('watch <id>')
		.description('show a job until it ends; exits 1 where it fails')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			await client.jobs.get(id); // an unknown id is refused before anything is shown
			process.exitCode = await watch(client, id, json);
		});
	group
		.command('cancel <id>')
		.description('cancel a job')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const job = await client.jobs.cancel(id);
			print(json, job, shown(job));
		});
}
