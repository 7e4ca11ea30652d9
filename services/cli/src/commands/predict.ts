import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Writable } from 'node:stream';
import { isId, MODEL_ARTIFACT, type Prediction, ProblemError } from '@steelyard/contracts';
import { openPredictor, type Predictor } from '@steelyard/prediction';
import { openTable, TableError } from '@steelyard/table';
import type { Command } from 'commander';
import { connected } from '../connect.js';
import { jsonRows } from '../json-rows.js';
import { expectFolderOf, UsageError } from '../output.js';

/** The bytes of a file, or of the model of a job. */
async function bytesOf(model: string, command: Command): Promise<Uint8Array> {
	if (isId('job', model)) return new Uint8Array(await (await connected(command).client.jobs.download(model, MODEL_ARTIFACT)).arrayBuffer());
	return readFile(model).catch((error: Error) => {
		throw new UsageError(`${model} cannot be read: ${error.message}`);
	});
}

/** A row of the answer: a class or value, how likely each class is, how far each modality counted. */
type Answer = Record<string, string | number>;

/** Numbers and texts of a nested value by their paths, such as `y.0.1`. */
const flat = (name: string, value: unknown): [string, string | number][] =>
	typeof value === 'object' && value !== null
		? Object.entries(value).flatMap(([key, inner]) => flat(`${name}.${key}`, inner))
		: [[name, value as string | number]];

/** A prediction as a row of a table; the labels that apply stand in one cell. */
function rowOf({ prediction, probabilities, quantiles, weights, divergence, outputs }: Prediction, row: number): Answer {
	const named = { probability: probabilities, quantile: quantiles, weight: weights, divergence };
	return Object.fromEntries<string | number>([
		['row', row],
		...(prediction === undefined ? [] : [['prediction', Array.isArray(prediction) ? prediction.join('|') : prediction] as const]),
		...Object.entries(named).flatMap(([name, numbers]) => flat(name, numbers ?? {})),
		...Object.entries(outputs ?? {}).flatMap(([name, value]) => flat(name, value)),
	]);
}

const csvCell = (value: string | number): string => {
	const text = String(value);
	return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Writes answers as they come: csv, or json lines. */
function textWriter(output: Writable, isCsv: boolean): (answers: readonly Answer[]) => Promise<void> {
	let hasHeader = !isCsv;
	return async (answers) => {
		const lines = answers.map((answer) => (isCsv ? Object.values(answer).map(csvCell).join(',') : JSON.stringify(answer)));
		const [one] = answers;
		if (!hasHeader && one !== undefined) lines.unshift(Object.keys(one).map(csvCell).join(','));
		hasHeader ||= one !== undefined;
		if (lines.length > 0 && !output.write(`${lines.join('\n')}\n`)) await once(output, 'drain');
	};
}

/** All answers as the bytes of a parquet file. */
async function parquetOf(answers: readonly Answer[]): Promise<Uint8Array> {
	const { parquetWriteBuffer } = await import('hyparquet-writer');
	const columnData = Object.entries(answers[0] ?? {}).map(([name, sample]) => ({
		name,
		type: name === 'row' ? ('INT32' as const) : typeof sample === 'string' ? ('STRING' as const) : ('DOUBLE' as const),
		data: answers.map((answer) => answer[name] as string | number),
	}));
	return new Uint8Array(parquetWriteBuffer({ columnData }));
}

/** What a model says of the rows of a file: of a table, or where it takes arrays of json lines. */
async function* answers(model: Predictor, file: string): AsyncGenerator<Answer[]> {
	const numbered = (predictions: readonly Prediction[], first: number): Answer[] => predictions.map((one, i) => rowOf(one, first + i));
	if (model.columns !== null) {
		const table = await openTable(file, { file: basename(file) });
		for await (const { first, predictions } of model.predictTable(table)) yield numbered(predictions, first);
		return;
	}
	if (!/\.(jsonl|ndjson)$/i.test(file))
		throw new UsageError(
			`${file}: the model takes arrays and no columns; expected json lines (.jsonl), with a list for each of its modalities`,
		);
	for await (const { first, rows } of jsonRows(file)) yield numbered(await model.predictRows(rows, first), first);
}

/** Writes what a model says of a table to a file, whole or not at all. */
async function writeTo(file: string, all: AsyncGenerator<Answer[]>): Promise<void> {
	const part = `${file}.part-${process.pid}`;
	const output = createWriteStream(part, { flush: true });
	try {
		if (/\.parquet$/i.test(file)) {
			const every: Answer[] = [];
			for await (const some of all) every.push(...some);
			output.end(await parquetOf(every));
		} else {
			const write = textWriter(output, !/\.(jsonl|ndjson)$/i.test(file));
			for await (const some of all) await write(some);
			output.end();
		}
		await once(output, 'close');
		await rename(part, file);
	} finally {
		output.destroy();
		await rm(part, { force: true });
	}
}

async function run(modelName: string, tableFile: string, { output }: { output?: string }, command: Command): Promise<void> {
	if (output !== undefined) await expectFolderOf(output);
	const model = await openPredictor(await bytesOf(modelName, command));
	try {
		const all = answers(model, tableFile);
		if (output !== undefined) return await writeTo(output, all);
		const write = textWriter(process.stdout, true);
		for await (const some of all) await write(some);
	} catch (error) {
		if (error instanceof TableError || error instanceof ProblemError) throw new UsageError(error.message);
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new UsageError(`${tableFile} does not exist`);
		throw error;
	} finally {
		await model.release();
	}
}

export function predict(command: Command): void {
	command
		.argument('<model>', 'the model.onnx of a job, or the id of a job')
		.argument(
			'<table>',
			'a table with the columns that the model takes, in any order and beside others; for a model of arrays .jsonl with its modalities',
		)
		.option('-o, --output <file>', 'where to write the predictions: .csv, .jsonl or .parquet (default: csv to standard output)')
		.action(run);
}
