import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { DatasetResource } from '@steelyard/contracts';
import type { Command } from 'commander';
import yazl from 'yazl';
import { connected } from '../connect.js';
import { print, table, UsageError } from '../output.js';

const shown = ({ id, name, task, splits, modalities }: DatasetResource): string =>
	table([
		['id', id],
		['name', name],
		['task', task.type],
		[
			'rows',
			Object.entries(splits)
				.map(([split, { rows }]) => `${split} ${rows}`)
				.join(', '),
		],
		[
			'modalities',
			Object.entries(modalities)
				.map(([modality, { shape }]) => `${modality} [${shape.join(', ')}]`)
				.join(', '),
		],
	]);

/** A folder's arrays and manifest as a zip that is made while it is read. */
async function zipped(folder: string): Promise<ReadableStream<Uint8Array>> {
	const names = (await readdir(folder)).filter((name) => name.endsWith('.npy') || name === 'manifest.json').sort();
	if (!names.some((name) => name.endsWith('.npy')))
		throw new UsageError(`${folder} holds no .npy file; expected train_<modality>.npy, train_labels.npy, …`);
	const zip = new yazl.ZipFile();
	const output = new Readable().wrap(zip.outputStream);
	// A file that cannot be read ends the upload.
	zip.on('error', (error: Error) => output.destroy(error));
	for (const name of names) zip.addFile(join(folder, name), name, { compress: false });
	zip.end();
	return Readable.toWeb(output) as ReadableStream<Uint8Array>;
}

async function sourceOf(path: string): Promise<{ body: ReadableStream<Uint8Array>; filename: string }> {
	const found = await stat(path).catch(() => {
		throw new UsageError(`${path} does not exist; expected a folder of .npy files, a .zip or a .npz`);
	});
	if (found.isDirectory()) return { body: await zipped(path), filename: `${basename(resolve(path)) || 'dataset'}.zip` };
	if (!/\.(zip|npz)$/i.test(path)) throw new UsageError(`${path} is neither a folder nor a .zip or .npz file`);
	return { body: Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>, filename: basename(path) };
}

export function datasets(program: Command): void {
	const group = program.command('datasets').description('upload and look at datasets');
	group
		.command('add <path>')
		.description('upload a folder of .npy files, a .zip or a .npz')
		.action(async (path: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const { body, filename } = await sourceOf(path);
			const dataset = await client.datasets.create(body, filename);
			print(json, dataset, shown(dataset));
		});
	group
		.command('list')
		.description('the newest datasets')
		.option('--limit <count>', 'how many, 1 to 100', '20')
		.action(async ({ limit }: { limit: string }, command: Command) => {
			const { client, json } = connected(command);
			const { data } = await client.datasets.list({ limit: Number(limit) });
			print(
				json,
				data,
				table([
					['id', 'name', 'task', 'train rows'],
					...data.map((d) => [d.id, d.name, d.task.type, String(d.splits['train']?.rows ?? 0)]),
				]),
			);
		});
	group
		.command('get <id>')
		.description('one dataset')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const dataset = await client.datasets.get(id);
			print(json, dataset, shown(dataset));
		});
	group
		.command('remove <id>')
		.description('delete a dataset that no job uses')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const dataset = await client.datasets.get(id);
			await client.datasets.remove(id);
			print(json, dataset, `removed ${id}`);
		});
}
