import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { ModelResource } from '@steelyard/contracts';
import type { Command } from 'commander';
import { connected } from '../connect.js';
import { downloadArtifact } from '../download.js';
import { EXIT, print, table, UsageError } from '../output.js';

/** Names told on one line. */
const TOLD = 12;

function shown({ id, name, status, bytes, report, error }: ModelResource): string {
	const rows = [
		['id', id],
		['name', name],
		['status', status],
		['bytes', String(bytes)],
	];
	if (error !== null) rows.push(['error', `${error.message} (${error.code}${error.param === null ? '' : `, at ${error.param}`})`]);
	if (report === null) return table(rows);
	const values = (all: typeof report.inputs) => all.map((value) => `${value.name} [${value.shape.join(', ')}]`).join('  ');
	const trainable = report.parameters.filter((parameter) => parameter.trainable);
	const numbers = trainable.reduce((sum, { shape }) => sum + shape.reduce((size, dim) => size * dim, 1), 0);
	rows.push(['inputs', values(report.inputs)], ['outputs', values(report.outputs)]);
	rows.push(['parameters', `${numbers} numbers in ${trainable.length} that can be trained`]);
	const more = trainable.length > TOLD ? `  and ${trainable.length - TOLD} more` : '';
	if (trainable.length > 0)
		rows.push([
			'',
			trainable
				.slice(0, TOLD)
				.map((parameter) => parameter.name)
				.join('  ') + more,
		]);
	for (const { message, where } of report.blockers) rows.push(['blocked by', where === null ? message : `${message} (${where})`]);
	return table(rows);
}

/** A model as the body of an upload. */
async function sourceOf(file: string): Promise<Blob> {
	if (!(await stat(file).catch(() => null))?.isFile()) throw new UsageError(`${file} is no file; expected an ONNX model`);
	return openAsBlob(file);
}

async function add(file: string, { wait = false }: { wait?: boolean }, command: Command): Promise<void> {
	const { client, json } = connected(command);
	const uploaded = await client.models.create(await sourceOf(file), basename(file));
	const model = wait ? await client.models.inspected(uploaded.id) : uploaded;
	print(json, model, shown(model));
	if (model.status === 'refused') process.exitCode = EXIT.refused;
}

async function list({ limit }: { limit: string }, command: Command): Promise<void> {
	const { client, json } = connected(command);
	const { data } = await client.models.list({ limit: Number(limit) });
	print(json, data, table([['id', 'status', 'name', 'bytes'], ...data.map((m) => [m.id, m.status, m.name, String(m.bytes)])]));
}

async function download(id: string, { output }: { output: string }, command: Command): Promise<void> {
	const { client, json } = connected(command);
	if (!(await stat(dirname(output)).catch(() => null))?.isDirectory())
		throw new UsageError(`there is no folder ${dirname(output)} to write to`);
	const leaving = new AbortController();
	const leave = (): void => leaving.abort();
	process.once('SIGINT', leave);
	try {
		const artifact = await downloadArtifact(client, id, 'model.onnx', output, leaving.signal);
		print(json, artifact, `${output}  ${artifact.bytes} bytes  sha256 ${artifact.sha256}`);
	} catch (error) {
		if (!leaving.signal.aborted) throw error;
		process.exitCode = 130;
	} finally {
		process.off('SIGINT', leave);
	}
}

export function models(program: Command): void {
	const group = program.command('models').description('upload models of your own, and download trained ones');
	group
		.command('add <file>')
		.description('upload a forward graph as ONNX')
		.option('--wait', 'until it is inspected; exits 2 where it is refused')
		.action(add);
	group.command('list').description('the newest uploaded models').option('--limit <count>', 'how many, 1 to 100', '20').action(list);
	group
		.command('show <id>')
		.description('one uploaded model, with its report')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const model = await client.models.get(id);
			print(json, model, shown(model));
		});
	group
		.command('remove <id>')
		.description('delete an uploaded model that no job uses')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const model = await client.models.get(id);
			await client.models.remove(id);
			print(json, model, `removed ${id}`);
		});
	group
		.command('download <job>')
		.description('download the ONNX model that a job trained')
		.requiredOption('-o, --output <file>', 'where to write it')
		.action(download);
}
