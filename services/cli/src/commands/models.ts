import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ModelResource } from '@steelyard/contracts';
import type { Command } from 'commander';
import { connected } from '../connect.js';
import { addDownload } from '../download-command.js';
import { type FindingOptions, findingOptions, foundBy } from '../finding.js';
import { listCommand, nameText } from '../listing.js';
import { metadataRow, type Naming, namingOptions } from '../named-texts.js';
import { withOptions } from '../options.js';
import { EXIT, print, table, UsageError } from '../output.js';
import { setCommand } from '../set-command.js';
import { bytesText, countText, timeText } from '../units.js';

/** Most names of parameters that are shown. */
const MOST_NAMES = 12;

type Report = NonNullable<ModelResource['report']>;

const valuesText = (values: Report['inputs']): string => values.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join('  ');

/** The inputs and outputs of a model, what of it can be trained, and what prevents that. */
function reportRows({ inputs, outputs, parameters, blockers }: Report): string[][] {
	const trainable = parameters.filter((parameter) => parameter.trainable);
	const numbers = trainable.reduce((sum, { shape }) => sum + shape.reduce((size, dim) => size * dim, 1), 0);
	const names = trainable.slice(0, MOST_NAMES).map(({ name }) => name);
	const more = trainable.length - names.length;
	return [
		['inputs', valuesText(inputs)],
		['outputs', valuesText(outputs)],
		[
			'parameters',
			`${countText(numbers)} trainable numbers in ${trainable.length} ${trainable.length === 1 ? 'initializer' : 'initializers'}`,
		],
		...(names.length === 0 ? [] : [['', names.join('  ') + (more > 0 ? `  and ${more} more` : '')]]),
		...blockers.map(({ message, where }) => ['blocked by', where === null ? message : `${message} (${where})`]),
	];
}

const modelText = ({ id, name, metadata, status, bytes, created_at, report, error }: ModelResource): string =>
	table([
		['id', id],
		['name', name],
		...metadataRow(metadata),
		['status', status],
		...(error === null ? [] : [['error', `${error.message} (${error.code}${error.param === null ? '' : `, at ${error.param}`})`]]),
		['size', bytesText(bytes)],
		['created', timeText(created_at)],
		...(report === null ? [] : reportRows(report)),
	]);

/** What is uploaded of the file of a model. Throws UsageError where there is none. */
async function sourceOf(file: string): Promise<Blob> {
	if (!(await stat(file).catch(() => null))?.isFile())
		throw new UsageError(`${file} is not a file; expected an ONNX model or a zip archive with one`);
	// Only this command needs the engine.
	return (await import('../model-file.js')).modelUpload(file);
}

async function add(file: string, { wait = false, name, metadata }: Naming & { wait?: boolean }, command: Command): Promise<void> {
	const { client, json } = connected(command);
	const uploaded = await client.models.create(await sourceOf(file), basename(file), {
		...(name === undefined ? {} : { name }),
		...(metadata === undefined ? {} : { metadata }),
	});
	const model = wait ? await client.models.inspected(uploaded.id) : uploaded;
	print(json, model, modelText(model));
	if (model.status === 'refused') process.exitCode = EXIT.refused;
}

export function models(group: Command): void {
	const adding = group
		.command('add <file>')
		.description('upload a forward graph, an .onnx file or a .zip with one and its data, which a job of the family "custom" trains')
		.option('--wait', 'wait until it is inspected; exits with 2 where it is refused');
	withOptions(adding, namingOptions()).action(add);
	listCommand<ModelResource, FindingOptions>(group, {
		plural: 'models',
		heading: ['id', 'status', 'name', 'size', 'created'],
		optional: ['created', 'size'],
		options: findingOptions(),
		row: ({ id, status, name, bytes, created_at }) => [id, status, nameText(name), bytesText(bytes), timeText(created_at)],
		page: (client, query, asked) => client.models.list({ ...query, ...foundBy(asked) }),
	});
	group
		.command('show <model>')
		.alias('get')
		.description('show one uploaded model, with the report of its inspection')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const model = await client.models.get(id);
			print(json, model, modelText(model));
		});
	setCommand<ModelResource>(group, 'model', { update: (client, id, change) => client.models.update(id, change), text: modelText });
	group
		.command('remove <model>')
		.alias('delete')
		.description('delete an uploaded model that no unfinished job uses')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const model = await client.models.get(id);
			await client.models.remove(id);
			print(json, model, `removed ${id}; finished jobs that used it keep what they made, but cannot be trained again`);
		});
	addDownload(group, 'the same as "jobs download", by its older name');
}
