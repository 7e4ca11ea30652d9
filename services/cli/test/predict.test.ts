import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from './command.js';

/** `x` `[batch, 4]` → `y` `[batch, 2]`. */
const MODEL = fileURLToPath(new URL('../../worker/test/fixtures/linear.onnx', import.meta.url));

let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'steelyard-predict-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** The path of a file with these lines. */
async function file(name: string, lines: readonly string[]): Promise<string> {
	const path = join(folder, name);
	await writeFile(path, lines.map((line) => `${line}\n`).join(''));
	return path;
}

describe('predict with a model of arrays', () => {
	it('takes json lines, and gives each number of its outputs', async () => {
		const rows = await file('rows.jsonl', ['{"x": [1, 0, 0, 0]}', '', '{"x": [0, 0, 0, 1], "note": "left alone"}']);
		const { code, stdout } = await run(['predict', MODEL, rows]);
		const [header, first, second] = stdout.trim().split('\n');
		expect([code, header]).toEqual([0, 'row,y.0,y.1']);
		expect(first).toMatch(/^0,0\.0614\d+,0$/);
		expect(second).toMatch(/^1,0\.3772\d+,0$/);
		const output = join(folder, 'answers.jsonl');
		expect((await run(['predict', MODEL, rows, '-o', output])).code).toBe(0);
		expect((await readFile(output, 'utf8')).split('\n')[1]).toMatch(/^\{"row":1,"y\.0":0\.3772\d+,"y\.1":0\}$/);
	});

	it('counts rows beyond those that are predicted together', async () => {
		const rows = await file('many.jsonl', new Array(2500).fill('{"x": [1, 0, 0, 0]}'));
		expect((await run(['predict', MODEL, rows])).stdout.trim().split('\n').at(-1)).toMatch(/^2499,0\.0614/);
	});

	it.each([
		['a table', 'rows.csv', ['x', '1'], 'rows.csv: the model takes arrays and no columns; expected json lines'],
		[
			'a line that is no object',
			'bad.jsonl',
			['{"x": [1, 0, 0, 0]}', '[1]'],
			'bad.jsonl row 1: expected a JSON object in every line, found [1]',
		],
		[
			'a row of another shape',
			'short.jsonl',
			[...new Array(1024).fill('{"x": [1, 0, 0, 0]}'), '{"x": [1]}'],
			'rows.1024.x: expected a list of 4, found [1]',
		],
	])('refuses %s', async (_, name, lines, words) => {
		const { code, stderr } = await run(['predict', MODEL, await file(name, lines)]);
		expect([code, stderr]).toEqual([2, expect.stringContaining(words)]);
	});

	it('refuses a file that is not there', async () => {
		expect(await run(['predict', MODEL, join(folder, 'none.jsonl')])).toMatchObject({
			code: 2,
			stderr: expect.stringContaining('does not exist'),
		});
	});
});
