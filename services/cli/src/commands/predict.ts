import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Writable } from 'node:stream';
import { ProblemError, type TaskProfile } from '@steelyard/contracts';
import { type FedRows, type RawInputs, rawInputsOf, rawRows } from '@steelyard/features';
import { metadataOf } from '@steelyard/onnx';
import { createSession, type Session, type Tensor } from '@steelyard/runtime';
import { openTable, type Table, TableError } from '@steelyard/table';
import type { Command } from 'commander';
import { expectFolderOf, UsageError } from '../output.js';

/** Rows that are predicted at a time. */
const TOGETHER = 1024;

type Model = { session: Session; inputs: RawInputs; task: TaskProfile; modalities: readonly string[] };

async function openModel(file: string): Promise<Model> {
	const bytes = await readFile(file).catch((error: Error) => {
		throw new UsageError(`${file} cannot be read: ${error.message}`);
	});
	const metadata = metadataOf(bytes);
	const inputs = rawInputsOf(metadata);
	if (inputs === null) throw new UsageError(`${file} takes no raw columns: expected the model.onnx of a job on a table`);
	const parsed = <T>(key: string): T => JSON.parse(metadata[key] ?? 'null') as T;
	return {
		session: await createSession(bytes, { optimisation: 'all' }),
		inputs,
		task: parsed('steelyard.task'),
		modalities: parsed('steelyard.modalities'),
	};
}

/** A cell of the answer: a class or value, or how likely a class is, or how far a modality counted. */
type Answer = Record<string, string | number>;

/** What a model says of some rows, one answer for each. */
async function answersOf({ session, task, modalities }: Model, { first, count, feeds }: FedRows): Promise<Answer[]> {
	const given = await session.run(feeds);
	const at = (name: string, place: number): number => Number((given[name] as Tensor).data[place]);
	const perModality = (name: string, output: string, row: number): [string, number][] =>
		given[output] === undefined ? [] : modalities.map((modality, m) => [`${name}.${modality}`, at(output, row * modalities.length + m)]);
	return Array.from({ length: count }, (_, row) =>
		Object.fromEntries<string | number>([
			['row', first + row],
			['prediction', task.type === 'regression' ? at('prediction', row) : (task.classes[at('prediction', row)] ?? at('prediction', row))],
			...(task.type === 'regression'
				? []
				: task.classes.map((name, c): [string, number] => [`probability.${name}`, at('probabilities', row * task.classes.length + c)])),
			...perModality('weight', 'modality_weights', row),
			...perModality('divergence', 'modality_divergence', row),
		]),
	);
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

async function* answers(model: Model, table: Table): AsyncGenerator<Answer[]> {
	for await (const rows of rawRows(table, model.inputs, { together: TOGETHER })) yield await answersOf(model, rows);
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

async function run(modelFile: string, tableFile: string, { output }: { output?: string }): Promise<void> {
	if (output !== undefined) await expectFolderOf(output);
	const model = await openModel(modelFile);
	try {
		const table = await openTable(tableFile, { file: basename(tableFile) });
		const all = answers(model, table);
		if (output !== undefined) return await writeTo(output, all);
		const write = textWriter(process.stdout, true);
		for await (const some of all) await write(some);
	} catch (error) {
		if (error instanceof TableError || error instanceof ProblemError) throw new UsageError(error.message);
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new UsageError(`${tableFile} does not exist`);
		throw error;
	} finally {
		await model.session.release();
	}
}

export function predict(command: Command): void {
	command
		.argument('<model>', 'the model.onnx of a job on a table')
		.argument('<table>', 'a table with the columns that the model takes, in any order and beside others')
		.option('-o, --output <file>', 'where to write the predictions: .csv, .jsonl or .parquet (default: csv to standard output)')
		.action(run);
}
