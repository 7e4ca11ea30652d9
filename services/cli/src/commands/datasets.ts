import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { type DatasetResource, dtypeOf } from '@steelyard/contracts';
import type { Command } from 'commander';
import yazl from 'yazl';
import { connected } from '../connect.js';
import { type FindingOptions, findingOptions, foundBy } from '../finding.js';
import { listCommand, nameText } from '../listing.js';
import { metadataRow, type Naming, namingOptions } from '../named-texts.js';
import { withOptions } from '../options.js';
import { print, table, UsageError } from '../output.js';
import { setCommand } from '../set-command.js';
import { bytesText, countText, timeText } from '../units.js';

/** How the values of one instance of a modality are laid out, and what of them is missing. */
function modalityText(modality: DatasetResource['modalities'][string]): string {
	const { shape, masked, missing } = modality;
	const sizes =
		shape.length > 2 ? shape.join(' x ') : shape.length === 2 ? `${shape[0]} steps of ${shape[1]} features` : `${shape[0]} features`;
	const dtype = dtypeOf(modality);
	const layout = dtype === 'float32' ? sizes : `${sizes}, ${dtype}`;
	if (!masked) return layout;
	return missing === 0 ? `${layout}, masked` : `${layout}, missing in ${(missing * 100).toFixed(1)} % of the rows`;
}

function taskText({ type, outputs, positions }: DatasetResource['task']): string {
	const counted = { multiclass: 'classes', multilabel: 'labels', binary: null, regression: null }[type];
	return [
		type,
		...(counted === null ? [] : [`${outputs} ${counted}`]),
		...(positions === undefined ? [] : [`a label for each of ${positions.join(' x ')} positions`]),
	].join(', ');
}

const datasetText = ({ id, name, metadata, title, task, splits, modalities, bytes, ignored = [], created_at }: DatasetResource): string =>
	table([
		['id', id],
		['name', name],
		...metadataRow(metadata),
		...(title === null ? [] : [['title', title]]),
		['task', taskText(task)],
		[
			'rows',
			Object.entries(splits)
				.map(([split, { rows }]) => `${split} ${countText(rows)}`)
				.join(', '),
		],
		...Object.entries(modalities).map(([modality, profile]) => [`modality ${modality}`, modalityText(profile)]),
		...(ignored.length === 0 ? [] : [['not read', ignored.map(({ file }) => file).join(', ')]]),
		['size', bytesText(bytes)],
		['created', timeText(created_at)],
	]);

/** The arrays and the manifest of a folder as a zip archive, which is made while it is read. Throws UsageError where there are no arrays. */
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

/** What to upload for a path: a folder as a zip archive, a file as it is. Throws UsageError for anything else. */
async function sourceOf(path: string): Promise<{ body: ReadableStream<Uint8Array>; filename: string }> {
	const found = await stat(path).catch(() => {
		throw new UsageError(`${path} does not exist; expected a folder of .npy files, a .zip or a .npz`);
	});
	if (found.isDirectory()) return { body: await zipped(path), filename: `${basename(resolve(path)) || 'dataset'}.zip` };
	if (!/\.(zip|npz)$/i.test(path)) throw new UsageError(`${path} is neither a folder nor a .zip or .npz file`);
	return { body: Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>, filename: basename(path) };
}

export function datasets(group: Command): void {
	const adding = group.command('add <path>').description('upload a dataset: a folder of .npy files, a .zip or a .npz');
	withOptions(adding, namingOptions()).action(async (path: string, { name, metadata }: Naming, command: Command) => {
		const { client, json } = connected(command);
		const { body, filename } = await sourceOf(path);
		const naming = { ...(name === undefined ? {} : { name }), ...(metadata === undefined ? {} : { metadata }) };
		const dataset = await client.datasets.create(body, filename, naming);
		const next = `Train on it with: echo '{"dataset": "${dataset.id}"}' | npx steelyard jobs create - --watch`;
		print(json, dataset, `${datasetText(dataset)}\n\n${next}`);
	});
	listCommand<DatasetResource, FindingOptions>(group, {
		plural: 'datasets',
		heading: ['id', 'name', 'task', 'train rows', 'size', 'created'],
		optional: ['created', 'task', 'size'],
		options: findingOptions(),
		row: ({ id, name, task, splits, bytes, created_at }) => [
			...[id, nameText(name), task.type, countText(splits['train']?.rows ?? 0), bytesText(bytes), timeText(created_at)],
		],
		page: (client, query, asked) => client.datasets.list({ ...query, ...foundBy(asked) }),
	});
	group
		.command('show <dataset>')
		.alias('get')
		.description('show one dataset: its task, splits and modalities')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const dataset = await client.datasets.get(id);
			print(json, dataset, datasetText(dataset));
		});
	setCommand<DatasetResource>(group, 'dataset', {
		update: (client, id, change) => client.datasets.update(id, change),
		text: datasetText,
	});
	group
		.command('remove <dataset>')
		.alias('delete')
		.description('delete a dataset that no unfinished job uses')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const dataset = await client.datasets.get(id);
			await client.datasets.remove(id);
			print(json, dataset, `removed ${id}; finished jobs that used it keep what they made, but cannot be trained again`);
		});
}
