import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { DatasetResource, RowsQuery } from '@steelyard/contracts';
import type { Command } from 'commander';
import { connected } from '../connect.js';
import { type ReadingOptions, readingOf, readingOptions, sourceOf } from '../dataset-source.js';
import { datasetText, previewText } from '../dataset-text.js';
import { type FindingOptions, findingOptions, foundBy } from '../finding.js';
import { listCommand, nameText } from '../listing.js';
import { type Naming, namingOptions } from '../named-texts.js';
import { wholeNumber } from '../numbers.js';
import { withOptions } from '../options.js';
import { print } from '../output.js';
import { rowsText } from '../rows-text.js';
import { setCommand } from '../set-command.js';
import { bytesText, countText, timeText } from '../units.js';
import { shownUpload } from '../upload-line.js';

/** `steelyard datasets inspect`: says how a table would be read, without a service. */
async function inspect(path: string, options: ReadingOptions, command: Command): Promise<void> {
	const { json = false } = command.optsWithGlobals<{ json?: boolean }>();
	const { body } = await sourceOf(path);
	await body.cancel();
	const { label = null, manifest } = await readingOf(options);
	const { previewUpload } = await import('@steelyard/features');
	const work = await mkdtemp(join(tmpdir(), 'steelyard-inspect-'));
	try {
		const text = manifest === undefined ? null : JSON.stringify(manifest);
		const preview = await previewUpload({ path, filename: basename(path), name: '', manifest: text, label, work });
		print(json, preview, previewText(preview));
	} finally {
		await rm(work, { recursive: true });
	}
}

export function datasets(group: Command): void {
	const adding = group.command('add <path>').description('upload a dataset: a table, a folder of .npy files, a .zip or a .npz');
	withOptions(adding, [...readingOptions(), ...namingOptions()]).action(
		async (path: string, { name, metadata, ...reading }: Naming & ReadingOptions, command: Command) => {
			const { client, json } = connected(command);
			const said = await readingOf(reading);
			const { filename, ...upload } = await sourceOf(path);
			const how = { ...(name === undefined ? {} : { name }), ...(metadata === undefined ? {} : { metadata }), ...said };
			const dataset = await shownUpload(upload, process.stderr, (body) => client.datasets.create(body, filename, how));
			const next = `Train on it with: echo '{"dataset": "${dataset.id}"}' | npx steelyard jobs create - --watch`;
			print(json, dataset, `${datasetText(dataset)}\n\n${next}`);
		},
	);
	const inspecting = group
		.command('inspect <file>')
		.description('say how a table would be read: what each column is, and which modality it goes to; without a service');
	withOptions(inspecting, readingOptions()).action(inspect);
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
	group
		.command('rows <dataset>')
		.description('show rows of one split, as jobs predict takes them')
		.option('--split <name>', 'the split', 'train')
		.option('--offset <row>', 'the first row to show, counted from 0', wholeNumber(0), 0)
		.option('--limit <count>', 'how many to show, 1 to 100', wholeNumber(1, 100), 20)
		.action(async (id: string, query: RowsQuery, command: Command) => {
			const { client, json } = connected(command);
			const found = await client.datasets.rows(id, query);
			print(json, found, rowsText(found));
			if (found.has_more) process.stderr.write(`There are more: say the same with --offset ${query.offset + found.data.length}\n`);
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
