import { type Client, createClient, SteelyardError } from '@steelyard/client';
import type { JobRequest } from '@steelyard/contracts';
import { type Command, Option } from 'commander';
import { connected } from '../connect.js';
import { type ReadingOptions, readingOf, readingOptions, sourceOf } from '../dataset-source.js';
import { datasetText } from '../dataset-text.js';
import { downloadArtifact } from '../download.js';
import { jsonFrom } from '../json-file.js';
import { type Naming, namingOptions } from '../named-texts.js';
import { wholeNumber } from '../numbers.js';
import { withOptions } from '../options.js';
import { EXIT, expectFolderOf } from '../output.js';
import { type Fields, setOption, withFields } from '../spec-options.js';
import { untilSignal } from '../until-signal.js';
import { shownUpload } from '../upload-line.js';
import { watchJob } from '../watch-job.js';

type TrainOptions = ReadingOptions &
	Naming & { spec?: string; family?: string; weighting?: string; epochs?: number; set?: Fields; output: string; home: string };

/** A service to train on; `close` ends one that was started for it. */
type Used = { client: Client; close(): Promise<void> };

/** The service at `--url`; where none answers and nobody named one, one that is started on a data folder. Throws SteelyardError where a named one does not answer. */
async function serviceFor(command: Command, home: string): Promise<Used> {
	const { client, project } = connected(command);
	try {
		await client.ready();
		return { client, close: async () => {} };
	} catch (error) {
		const isNamed = command.getOptionValueSourceWithGlobals('url') === 'cli' || Boolean(process.env['STEELYARD_URL']);
		if (isNamed || !(error instanceof SteelyardError) || error.status !== 0) throw error;
	}
	const { startService } = await import('../service.js');
	const notify = (message: string): void => void process.stderr.write(`${message}\n`);
	const { url, close } = await startService({ home, port: 0, notify });
	notify(`No service runs: one was started with its data in ${home}, and ends with this command.`);
	const apiKey = process.env['STEELYARD_API_KEY'];
	return { client: createClient({ url, ...(apiKey ? { apiKey } : {}), ...(project ? { project } : {}) }), close };
}

/** The job that options and a file describe, on a dataset. What is wrong with it is for the service to say. */
async function requestOf(dataset: string, { spec, family, weighting, epochs, set, name, metadata }: TrainOptions): Promise<JobRequest> {
	const given = spec === undefined ? {} : await jsonFrom<Partial<JobRequest>>(spec);
	const request = {
		...given,
		dataset,
		...(family === undefined ? {} : { model: { ...given.model, family } as NonNullable<JobRequest['model']> }),
		...(weighting === undefined ? {} : { weighting: { ...given.weighting, preset: weighting } as NonNullable<JobRequest['weighting']> }),
		...(epochs === undefined ? {} : { training: { ...given.training, epochs } }),
		...(name === undefined ? {} : { name }),
		...(metadata === undefined ? {} : { metadata: { ...given.metadata, ...metadata } }),
	};
	return withFields(request as JobRequest, set);
}

/** Uploads, trains and downloads. Resolves with the exit code. */
async function trainOn(client: Client, path: string, options: TrainOptions, json: boolean): Promise<number> {
	const say = (text: string): void => void process.stderr.write(`${text}\n`);
	const said = await readingOf(options);
	const { filename, ...upload } = await sourceOf(path);
	const { name, output } = options;
	const how = { ...(name === undefined ? {} : { name }), ...said };
	const dataset = await shownUpload(upload, process.stderr, (body) => client.datasets.create(body, filename, how));
	say(`${datasetText(dataset)}\n`);
	const job = await client.jobs.create(await requestOf(dataset.id, options));
	const code = await watchJob(client, job, json);
	if (code !== EXIT.done) return code;
	const { bytes } = await downloadArtifact(client, job.id, 'model.onnx', output);
	say(`\nwrote ${output} (${bytes} bytes)${dataset.table === undefined ? '' : `; predict rows by: npx steelyard predict ${output} FILE`}`);
	return code;
}

export function train(command: Command): void {
	command
		.argument('<path>', 'a table, a folder of .npy files, a .zip or a .npz')
		.option('--spec <file>', 'a JSON file with the fields of the job but its dataset; - for standard input')
		.option('--family <name>', 'family of the model, such as mlp-fusion')
		.option('--weighting <preset>', 'how modalities are weighed, such as btw, consensus or uniform')
		.option('--epochs <count>', 'most epochs to train', wholeNumber(1))
		.addOption(setOption())
		.option('-o, --output <file>', 'where to write the model', 'model.onnx')
		.addOption(
			new Option('--home <folder>', 'data folder of a service that is started for this').default(
				process.env['STEELYARD_HOME'] || './.steelyard',
			),
		);
	withOptions(command, [...readingOptions(), ...namingOptions()]).action(async (path: string, options: TrainOptions, self: Command) => {
		await expectFolderOf(options.output);
		const { json } = connected(self);
		const service = serviceFor(self, options.home);
		const work = service.then(async ({ client, close }) => {
			try {
				process.exitCode = await trainOn(client, path, options, json);
			} finally {
				await close();
			}
		});
		const code = await untilSignal(work, async () => (await service).close());
		if (code !== null) process.exitCode = code;
	});
}
