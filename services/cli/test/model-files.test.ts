import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createSession, tensor } from '@steelyard/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { run } from './command.js';

/** Exported by PyTorch (test/oracles/exports.py): inputs x [batch, 5] and label [batch], outputs loss and output. */
const MODEL = fileURLToPath(new URL('../../../test/fixtures/exports/mlp.dynamo-18.onnx', import.meta.url));
let folder: string;
let out: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'steelyard-cli-'));
	out = join(folder, 'out.onnx');
});
afterEach(() => rm(folder, { recursive: true }));

describe('differentiate', () => {
	const differentiate = (...args: string[]) => run(['differentiate', MODEL, '--out', out, ...args]);

	it('writes a model that gives the loss and the gradients that were asked for', async () => {
		const { code, stdout } = await differentiate('--loss', 'loss', '--dims', 'batch=3', '--wrt', 'x,layers.0.bias', '--json');
		expect(code).toBe(0);
		expect(JSON.parse(stdout)).toMatchObject({ out, loss: 'loss', gradients: ['grad/x', 'grad/layers.0.bias'] });
		const session = await createSession(out);
		expect(session.inputs.map(({ name, shape }) => [name, shape])).toEqual([
			['x', [3, 5]],
			['label', [3]],
		]);
		const outputs = await session.run({
			x: tensor('float32', [3, 5], new Float32Array(15).fill(1)),
			label: tensor('int64', [3], [0, 1, 2]),
		});
		await session.release();
		expect(Object.fromEntries(Object.entries(outputs).map(([name, { shape }]) => [name, shape]))).toEqual({
			loss: [],
			'grad/x': [3, 5],
			'grad/layers.0.bias': [12],
		});
	});

	it('keeps a symbolic batch, and makes the parameters inputs where that is asked for', async () => {
		const { code, stdout, stderr } = await differentiate('--loss', 'loss', '--wrt', 'layers.0.bias', '--parameters', 'inputs', '--json');
		expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
		const { parameters, ...made } = JSON.parse(stdout) as { parameters: string[] };
		expect(made).toMatchObject({ dims: {}, symbolic: ['batch'] });
		const session = await createSession(out);
		expect(session.inputs.map(({ name }) => name).sort()).toEqual(['x', 'label', ...parameters].sort());
		expect(parameters).toContain('layers.0.bias');
		expect(session.inputs.find(({ name }) => name === 'x')?.shape).toEqual(['batch', 5]);
		await session.release();
	});

	it.each([
		['an unknown dimension', ['--loss', 'loss', '--dims', 'rows=3'], /"rows".*"batch"/],
		['an unknown loss', ['--loss', 'los', '--dims', 'batch=3'], /"los"; outputs: "loss", "output"/],
		['a loss that is no scalar', ['--loss', 'output', '--dims', 'batch=3'], /expected a scalar/],
		['an unknown name', ['--loss', 'loss', '--dims', 'batch=3', '--wrt', 'v'], /"v".*"x".*"layers.0.weight"/],
		['an input of integers', ['--loss', 'loss', '--dims', 'batch=3', '--wrt', 'label'], /"label" is int64/],
	])('ends with 2 for %s, and writes nothing', async (_, args, message) => {
		expect(await differentiate(...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
		await expect(stat(out)).rejects.toThrow('ENOENT');
	});
});

describe('inspect', () => {
	it('gives the report and the size of the file as JSON, and the same to read', async () => {
		const { code, stdout } = await run(['inspect', MODEL, '--json']);
		expect(code).toBe(0);
		expect(JSON.parse(stdout)).toMatchObject({
			opset: 18,
			operators: { Gemm: 3 },
			blockers: [],
			totals: { parameter: { initializers: 6, numbers: 203 }, buffer: { initializers: 0, numbers: 0 } },
			bytes: (await readFile(MODEL)).length,
		});
		const text = (await run(['inspect', MODEL])).stdout;
		expect(text).toMatch(/layers\.0\.weight +float32 +\[12, 5\] +yes +parameter +weight of Gemm/);
		expect(text).toContain('Nothing prevents training it.');
	});

	it('reads a zip archive, whatever its name is', async () => {
		const archive = new ZipFile();
		archive.addFile(MODEL, 'net/net.onnx');
		archive.end();
		await pipeline(archive.outputStream, createWriteStream(out));
		expect((await run(['inspect', out, '--json'])).stdout).toBe((await run(['inspect', MODEL, '--json'])).stdout);
	});

	it('ends with 2 for what is no model', async () => {
		await writeFile(out, 'no model');
		expect(await run(['inspect', out])).toMatchObject({ code: 2, stderr: expect.stringContaining('not an ONNX model') });
	});
});
