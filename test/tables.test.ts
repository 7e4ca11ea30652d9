import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Client, createClient } from '@steelyard/client';
import type { JobResource } from '@steelyard/contracts';
import { metadataOf } from '@steelyard/onnx';
import { createSession, type StringTensor, type Tensor, tensor } from '@steelyard/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonRuns } from './every-runtime.js';
import { expectExplained } from './explained-rows.js';
import { CLI, type Running, serve } from './serving.js';

type Row = { seen: string; age: string; ward: string; note: string; split: string; died: string };

/** Rows of a table with every kind of column, each with missing cells; the label follows from all of them, with some noise. */
const rows: Row[] = Array.from({ length: 400 }, (_, row) => {
	const [a, b, c] = [(row * 7919) % 101, (row * 104_729) % 103, (row * 1_299_709) % 97];
	const isIll = (a > 60 ? 1 : 0) + (b % 3 === 0 ? 1 : 0) + (c % 2 === 0 ? 1 : 0) >= 2;
	return {
		seen: a % 13 === 0 ? '' : `2021-${String(1 + (b % 12)).padStart(2, '0')}-${String(1 + (c % 28)).padStart(2, '0')} 0${a % 10}:30`,
		age: b % 17 === 0 ? 'NA' : String(a),
		ward: c % 19 === 0 ? '' : (['A', 'B', 'C'][b % 3] as string),
		note: a % 11 === 0 ? '' : `Seen again, with ${c % 2 === 0 ? 'Fever and' : 'no'} cough "${['mild', 'strong'][a % 2]}" on day ${b % 5}`,
		split: row % 4 === 0 ? 'test' : row % 4 === 1 ? 'valid' : 'train',
		died: isIll !== (row % 23 === 0) ? 'yes' : 'no',
	};
});
const quoted = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
const names = Object.keys(rows[0] as Row) as (keyof Row)[];
const csv = [names.join(','), ...rows.map((row) => names.map((name) => quoted(row[name])).join(','))].join('\n');

/** What whoever has the rows feeds to the model: numbers and dates as numbers, all else as it stands. */
function feedsOf(some: readonly Row[]): Record<string, Tensor | StringTensor> {
	const numbers = (values: number[]): Tensor => tensor('float64', [some.length], values);
	const strings = (data: string[]): StringTensor => ({ dtype: 'string', shape: [some.length], data });
	return {
		seen: numbers(some.map(({ seen }) => (seen === '' ? Number.NaN : Date.parse(`${seen.replace(' ', 'T')}Z`) / 1000))),
		age: numbers(some.map(({ age }) => Number(age))),
		ward: strings(some.map(({ ward }) => ward)),
		note: strings(some.map(({ note }) => note)),
	};
}

const accuracy = (prediction: Tensor | undefined, some: readonly Row[]): number =>
	some.filter(({ died }, i) => Number(prediction?.data[i]) === (died === 'yes' ? 1 : 0)).length / some.length;

/** Runs the command, and gives what it printed; rejects where it ends with another code than 0. */
const steelyard = async (...args: string[]): Promise<string> => (await promisify(execFile)(process.execPath, [CLI, ...args])).stdout;

describe('a model that was trained on a table', () => {
	let home: string;
	let service: Running;
	let client: Client;
	let job: JobResource;
	let model: Uint8Array;
	const download = async (name: string): Promise<Uint8Array> =>
		new Uint8Array(await (await client.jobs.download(job.id, name)).arrayBuffer());
	beforeAll(async () => {
		home = await mkdtemp(join(tmpdir(), 'steelyard-tables-'));
		service = await serve(home);
		client = createClient({ url: service.url });
		const dataset = await client.datasets.create(new Blob([csv]), 'ward.csv', { manifest: { label: 'died', split: 'split' } });
		const training = { epochs: 12, threads: 1 };
		const { id } = await client.jobs.create({ dataset: dataset.id, model: { family: 'mlp-fusion', hidden: 16 }, training });
		for await (const _ of client.jobs.events(id));
		job = await client.jobs.get(id);
		if (job.status !== 'succeeded') throw new Error(`the job is ${job.status}: ${job.error?.message}`);
		model = await download('model.onnx');
	});
	afterAll(async () => {
		await service?.stop();
		await rm(home, { recursive: true });
	});

	it('takes the raw columns, and gives the figures that the job reports', async () => {
		const session = await createSession(model);
		expect(session.inputs).toMatchObject([
			{ name: 'seen', dtype: 'float64', shape: ['batch'] },
			{ name: 'age', dtype: 'float64', shape: ['batch'] },
			{ name: 'ward', dtype: 'string', shape: ['batch'] },
			{ name: 'note', dtype: 'string', shape: ['batch'] },
		]);
		for (const [split, found] of Object.entries(job.result?.metrics ?? {})) {
			const own = rows.filter((row) => row.split === (split === 'validation' ? 'valid' : split));
			const { prediction } = await session.run(feedsOf(own));
			expect(accuracy(prediction, own), split).toBeCloseTo(found['accuracy'] ?? Number.NaN, 12);
		}
		await session.release();
	});

	it('gives the same in the runtime of Python, where there is one', async (context) => {
		const test = rows.filter(({ split }) => split === 'test');
		const given = await pythonRuns([{ bytes: model, feeds: feedsOf(test) }]);
		if (given === null) return context.skip();
		expect(accuracy(given[0]?.['prediction'], test)).toBeCloseTo(job.result?.metrics['test']?.['accuracy'] ?? Number.NaN, 12);
	});

	it('is there without the graph of the features too', async () => {
		const session = await createSession(await download('model-features.onnx'));
		expect(session.inputs.map(({ name }) => name)).toEqual([
			'x.dates',
			'x.numbers',
			'x.categories',
			'x.note',
			'mask.dates',
			'mask.numbers',
			'mask.categories',
			'mask.note',
		]);
		await session.release();
	});

	it('takes one row, and one of which nothing is known', async () => {
		const session = await createSession(model);
		const nothing = { seen: '', age: 'NA', ward: '', note: '', split: '', died: '' };
		const { probabilities } = await session.run(feedsOf([nothing]));
		expect(Array.from((probabilities as Tensor).data, Number).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
		await session.release();
	});

	it('is run over rows by the service, as JSON and as csv, and says the same', async () => {
		const test = rows.filter(({ split }) => split === 'test');
		const { data } = await client.jobs.predict(job.id, test);
		expect(test.filter(({ died }, i) => data[i]?.prediction === died).length / test.length).toBeCloseTo(
			job.result?.metrics['test']?.['accuracy'] ?? Number.NaN,
			12,
		);
		const all = await client.jobs.predict(job.id, csv);
		expect(all.data.filter((_, row) => rows[row]?.split === 'test')).toEqual(data);
		const [{ probabilities, weights } = {}] = data;
		expect(Object.keys(probabilities ?? {})).toEqual(['no', 'yes']);
		expect(Object.keys(weights ?? {})).toEqual(['dates', 'numbers', 'categories', 'note']);
		await expect(client.jobs.predict(job.id, [{ age: 7 }])).rejects.toMatchObject({
			code: 'invalid_request',
			message: 'rows: expected a column "seen", which the model takes, found the columns age',
		});
	});

	it('takes the rows of the dataset as the service shows them, and says of them what explains the job', async () => {
		const found = await client.datasets.rows(job.spec.dataset, { split: 'test', offset: 3, limit: 60 });
		const test = rows.filter(({ split }) => split === 'test');
		expect(found).toMatchObject({ total: test.length, kept: test.length, has_more: true });
		expect(found.data.map(({ values, label }) => ({ ...values, died: label }))).toEqual(test.slice(3, 63));
		await expectExplained(client, job, found);
	});

	it('comes from one command, and predicts tables by another', async () => {
		const at = (name: string): string => join(home, name);
		await writeFile(at('ward.csv'), csv);
		await writeFile(at('manifest.json'), JSON.stringify({ label: 'died', split: 'split' }));
		await writeFile(at('job.json'), JSON.stringify({ model: { family: 'mlp-fusion', hidden: 16 }, training: { threads: 1 } }));
		const reading = ['--manifest', at('manifest.json')];
		expect(await steelyard('datasets', 'inspect', at('ward.csv'), ...reading)).toMatch(/^seen +date in dates +\d+\.\d % +\d+ +2021-/m);
		const options = [...reading, '--spec', at('job.json'), '--epochs', '12', '-o', at('model.onnx')];
		const trained: JobResource = JSON.parse(await steelyard('--url', service.url, '--json', 'train', at('ward.csv'), ...options));
		expect(trained.result?.metrics).toEqual(job.result?.metrics);

		const lines = (await steelyard('predict', at('model.onnx'), at('ward.csv'))).trim().split('\n');
		expect(lines[0]).toBe('row,prediction,probability.no,probability.yes,weight.dates,weight.numbers,weight.categories,weight.note');
		const test = rows.flatMap(({ split, died }, row) => (split === 'test' ? [{ died, line: lines[row + 1] as string }] : []));
		const hits = test.filter(({ died, line }) => line.split(',')[1] === died).length;
		expect(hits / test.length).toBeCloseTo(job.result?.metrics['test']?.['accuracy'] ?? Number.NaN, 12);
		expect((await steelyard('--url', service.url, 'predict', trained.id, at('ward.csv'))).trim().split('\n')).toEqual(lines);
		await writeFile(at('other.csv'), 'age,ward\n1,A\n');
		await expect(steelyard('predict', at('model.onnx'), at('other.csv'))).rejects.toMatchObject({
			code: 2,
			stderr: 'other.csv: expected a column "seen", which the model takes, found the columns age, ward\n',
		});
	});

	it('says of several labels which a row has', async () => {
		const at = (name: string): string => join(home, name);
		const flag = (is: boolean): string => (is ? '1' : '0');
		const labelled = rows.map((row) => ({ ...row, fever: flag(row.note.includes('Fever')), dead: row.died === 'yes' ? 'true' : 'false' }));
		const columns = ['seen', 'age', 'ward', 'note', 'split', 'fever', 'dead'] as const;
		const lines = labelled.map((row) => columns.map((name) => quoted(row[name])).join(','));
		await writeFile(at('several.csv'), [columns.join(','), ...lines].join('\n'));
		await writeFile(at('several.json'), JSON.stringify({ split: 'split' }));
		await writeFile(at('job.json'), JSON.stringify({ model: { family: 'mlp-fusion', hidden: 16 }, training: { threads: 1, epochs: 6 } }));
		const reading = ['--manifest', at('several.json'), '--label', 'dead', '--label', 'fever'];
		expect(await steelyard('datasets', 'inspect', at('several.csv'), ...reading)).toMatch(
			/^label +dead, fever\ntask +multilabel: dead, fever$/m,
		);
		const options = [...reading, '--spec', at('job.json'), '-o', at('several.onnx')];
		const trained: JobResource = JSON.parse(await steelyard('--url', service.url, '--json', 'train', at('several.csv'), ...options));

		await steelyard('predict', at('several.onnx'), at('several.csv'), '-o', at('several.jsonl'));
		const answers: { prediction: string }[] = (await readFile(at('several.jsonl'), 'utf8'))
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line));
		const hits = labelled.flatMap(({ split, fever, dead }, row) => {
			const said = answers[row]?.prediction.split('|') ?? [];
			return split === 'test' ? [said.includes('fever') === (fever === '1'), said.includes('dead') === (dead === 'true')] : [];
		});
		const accuracy = trained.result?.metrics['test']?.['accuracy'] ?? Number.NaN;
		expect(hits.filter((isRight) => isRight).length / hits.length).toBeCloseTo(accuracy, 12);
		expect(Object.keys(answers[0] ?? {}).slice(0, 4)).toEqual(['row', 'prediction', 'probability.dead', 'probability.fever']);
	});

	it('learns a vector for each word where the manifest wants tokens, and takes the text as it is', async () => {
		const manifest = { label: 'died', split: 'split', texts: { as: 'tokens', tokens: 12 } } as const;
		const dataset = await client.datasets.create(new Blob([csv]), 'ward.csv', { manifest });
		expect(dataset.modalities['note']).toMatchObject({ shape: [12], dtype: 'int32', mask: 'steps' });
		const model = { family: 'mlp-fusion', hidden: 16, token_width: 8 } as const;
		const { id } = await client.jobs.create({ dataset: dataset.id, model, training: { epochs: 12, threads: 1 } });
		for await (const _ of client.jobs.events(id));
		const { result } = await client.jobs.get(id);
		const test = rows.filter(({ split }) => split === 'test');
		const session = await createSession(new Uint8Array(await (await client.jobs.download(id, 'model.onnx')).arrayBuffer()));
		const { prediction } = await session.run(feedsOf(test));
		await session.release();
		expect(accuracy(prediction, test)).toBeCloseTo(result?.metrics['test']?.['accuracy'] ?? Number.NaN, 12);
		const { data } = await client.jobs.predict(id, test);
		expect(data.map(({ prediction: said }) => (said === 'yes' ? 1 : 0))).toEqual(Array.from((prediction as Tensor).data, Number));
	});

	it('takes lists of several lengths, filled up, with their masks', async (context) => {
		const at = (name: string): string => join(home, name);
		const stays = rows.map(({ age, split, died }, row) => ({
			split,
			died,
			age: Number(age) || null,
			pulse: row % 13 === 0 ? null : Array.from({ length: row % 6 }, (_, i) => 60 + (died === 'yes' ? 3 * i : -2 * i) + (row % 5)),
			wave: Array.from({ length: 1 + (row % 3) }, (_, i) => [i / 8, (row % 7) - 3]),
		}));
		const asLines = (some: readonly object[]): string => some.map((stay) => JSON.stringify(stay)).join('\n');
		await writeFile(at('stays.jsonl'), asLines(stays));
		await writeFile(at('stays.json'), JSON.stringify({ label: 'died', split: 'split' }));
		const model = { family: 'fuse-moe', width: 16, heads: 2, layers: 1, time_width: 8 };
		await writeFile(at('job.json'), JSON.stringify({ model, training: { threads: 1, epochs: 4 } }));
		const options = ['--manifest', at('stays.json'), '--spec', at('job.json'), '-o', at('stays.onnx')];
		const trained: JobResource = JSON.parse(await steelyard('--url', service.url, '--json', 'train', at('stays.jsonl'), ...options));
		const reported = trained.result?.metrics['test']?.['accuracy'] ?? Number.NaN;

		const test = stays.filter(({ split }) => split === 'test');
		const filledUp = (lists: readonly (readonly number[])[], length: number): number[] =>
			lists.flatMap((list) => Array.from({ length }, (_, i) => list[i] ?? 0));
		const marks = (lists: readonly (readonly unknown[])[], length: number): number[] =>
			lists.flatMap((list) => Array.from({ length }, (_, i) => (i < list.length ? 1 : 0)));
		const n = test.length;
		const pulses = test.map(({ pulse }) => pulse ?? []);
		const waves = test.map(({ wave }) => wave);
		const feeds = {
			age: tensor(
				'float64',
				[n],
				test.map(({ age }) => age ?? Number.NaN),
			),
			pulse: tensor('float64', [n, 5], filledUp(pulses, 5)),
			'pulse.mask': tensor('float32', [n, 5], marks(pulses, 5)),
			wave: tensor(
				'float64',
				[n, 3, 2],
				filledUp(
					waves.map((wave) => wave.flat()),
					6,
				),
			),
			'wave.mask': tensor('float32', [n, 3], marks(waves, 3)),
		};
		const bytes = new Uint8Array(await readFile(at('stays.onnx')));
		expect(JSON.parse(metadataOf(bytes)['steelyard.inputs'] ?? '').columns).toMatchObject([
			{ input: 'age', kind: 'number' },
			{ input: 'pulse', kind: 'sequence', steps: 5, mask: 'pulse.mask' },
			{ input: 'wave', kind: 'sequence', steps: 3, features: 2, mask: 'wave.mask' },
		]);
		const session = await createSession(bytes);
		const right = (prediction: Tensor | undefined): number => accuracy(prediction, test as unknown as Row[]);
		expect(right((await session.run(feeds))['prediction'])).toBeCloseTo(reported, 12);
		await session.release();

		const lines = (await steelyard('predict', at('stays.onnx'), at('stays.jsonl'))).trim().split('\n').slice(1);
		const hits = stays.flatMap(({ split, died }, row) => (split === 'test' ? [lines[row]?.split(',')[1] === died] : []));
		expect(hits.filter((hit) => hit).length / n).toBeCloseTo(reported, 12);
		await writeFile(at('long.jsonl'), asLines([...stays.slice(0, 2), { ...stays[2], pulse: [1, 2, 3, 4, 5, 6] }]));
		await expect(steelyard('predict', at('stays.onnx'), at('long.jsonl'))).rejects.toMatchObject({
			code: 2,
			stderr: 'long.jsonl row 2, column "pulse": expected at most 5 steps, which the model takes, found 6\n',
		});

		const inPython = await pythonRuns([{ bytes, feeds }]);
		if (inPython === null) return context.skip();
		expect(right(inPython[0]?.['prediction'])).toBeCloseTo(reported, 12);
	});
});
