import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSession, RuntimeError, type Session, type SessionOptions, tensor } from '../src/index.js';
import { doubling, expanding, reshaping, symbolic, unknownOperator } from './models.js';

let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'steelyard-session-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function withSession(
	model: Uint8Array | string,
	use: (session: Session) => Promise<void>,
	options: SessionOptions = {},
): Promise<void> {
	const session = await createSession(model, options);
	try {
		await use(session);
	} finally {
		await session.release();
	}
}
const x = tensor('float32', [2, 2], [1, 2, 3, 4]);

describe('a session', () => {
	it('says what it takes and gives: names, types, sizes and names of sizes', () =>
		withSession(symbolic, async (session) => {
			expect(session.inputs).toEqual([{ name: 'x', dtype: 'int64', shape: ['batch', 3] }]);
			expect(session.outputs).toEqual([
				{ name: 'y', dtype: 'int64', shape: ['batch', 3] },
				{ name: 'flag', dtype: 'bool', shape: ['batch', 3] },
			]);
		}));

	it('runs, for every size of a symbolic dimension, none among them', () =>
		withSession(symbolic, async (session) => {
			expect(await session.run({ x: tensor('int64', [1, 3], [1, -2, 3]) })).toEqual({
				y: tensor('int64', [1, 3], [-1, 2, -3]),
				flag: tensor('bool', [1, 3], [1, 0, 1]),
			});
			const none = await session.run({ x: tensor('int64', [0, 3], []) });
			expect(none['y']).toEqual(tensor('int64', [0, 3], []));
		}));

	it('gives the outputs that are asked for', () =>
		withSession(symbolic, async (session) =>
			expect(Object.keys(await session.run({ x: tensor('int64', [1, 3], [1, 2, 3]) }, ['flag']))).toEqual(['flag']),
		));

	it('reads a view that begins inside its buffer, and leaves inputs as they are', () =>
		withSession(doubling, async (session) => {
			const buffer = Float32Array.from([9, 9, 1, 2, 3, 4, 9]);
			const { y } = await session.run({ x: tensor('float32', [2, 2], buffer.subarray(2, 6)) });
			expect([...y!.data]).toEqual([2, 4, 6, 8]);
			expect([...buffer]).toEqual([9, 9, 1, 2, 3, 4, 9]);
		}));

	it('gives fresh arrays from every run', () =>
		withSession(doubling, async (session) => {
			const first = await session.run({ x });
			await session.run({ x: tensor('float32', [2, 2], [0, 0, 0, 0]) });
			expect([...first['y']!.data]).toEqual([2, 4, 6, 8]);
		}));

	it('loads from a path, and writes the model that it made of it', async () => {
		const [path, written] = [join(folder, 'doubling.onnx'), join(folder, 'written.onnx')];
		await writeFile(path, doubling);
		await withSession(path, async () => {}, { optimisation: 'basic', optimisedModelPath: written });
		expect((await stat(written)).size).toBeGreaterThan(0);
		await withSession(written, async (session) => expect([...(await session.run({ x }))['y']!.data]).toEqual([2, 4, 6, 8]));
	});

	it('gives the same bits at every optimisation and number of threads for so small a model', async () => {
		for (const options of [{}, { threads: 2 }, { optimisation: 'basic' }, { optimisation: 'all', threads: 2 }] as const)
			await withSession(doubling, async (session) => expect([...(await session.run({ x }))['y']!.data]).toEqual([2, 4, 6, 8]), options);
	});

	const refused: Array<[string, Uint8Array | string, RegExp]> = [
		['an operator that does not exist', unknownOperator, /Frobnicate/],
		['bytes that are no model', Uint8Array.from([1, 2, 3, 4]), /protobuf/i],
		['no bytes', new Uint8Array(0), /./],
		['a model that is cut short', doubling.slice(0, 30), /./],
		['a path without a file', '/nonexistent/steelyard/model.onnx', /model\.onnx/],
	];
	for (const [what, model, words] of refused)
		it(`is refused for ${what}, in ORT's words`, async () => {
			const error: unknown = await createSession(model).catch((thrown: unknown) => thrown);
			expect(error).toBeInstanceOf(RuntimeError);
			expect(error).toMatchObject({ name: 'RuntimeError', code: 'model_refused', message: expect.stringMatching(words) });
			expect((error as RuntimeError).cause).toBeInstanceOf(Error);
		});

	const failing: Array<[string, Record<string, ReturnType<typeof tensor>>, RegExp]> = [
		['an input is missing', {}, /\bx\b/],
		['an input has another type', { x: tensor('float64', [2, 2], [1, 2, 3, 4]) }, /double|float64|type/i],
		['an input has another shape', { x: tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]) }, /dimension/i],
		['an input has another rank', { x: tensor('float32', [4], [1, 2, 3, 4]) }, /rank/i],
		['an input holds fewer numbers than its shape says', { x: { dtype: 'float32', shape: [2, 2], data: Float32Array.of(1, 2, 3) } }, /./],
	];
	for (const [what, feeds, words] of failing)
		it(`fails to run where ${what}, in ORT's words, and runs again after it`, () =>
			withSession(doubling, async (session) => {
				await expect(session.run(feeds)).rejects.toMatchObject({
					name: 'RuntimeError',
					code: 'run_failed',
					message: expect.stringMatching(words),
				});
				expect([...(await session.run({ x }))['y']!.data]).toEqual([2, 4, 6, 8]);
			}));

	it('fails to run where an operator cannot do what it is asked', () =>
		withSession(reshaping, async (session) => {
			const run = session.run({ x: tensor('float32', [3], [1, 2, 3]), s: tensor('int64', [2], [2, 2]) });
			await expect(run).rejects.toMatchObject({ code: 'run_failed', message: expect.stringContaining('Reshape') });
		}));

	it('says that memory ran out where it cannot have what a model asks for, and runs again after it', () =>
		withSession(expanding, async (session) => {
			const of = (...shape: number[]) => ({ x: tensor('float32', [1], [3]), s: tensor('int64', [2], shape) });
			await expect(session.run(of(2 ** 22, 2 ** 24))).rejects.toMatchObject({ name: 'RuntimeError', code: 'out_of_memory' });
			expect([...(await session.run(of(1, 2)))['y']!.data]).toEqual([3, 3]);
		}));

	it("says what went wrong without the positions in the runtime's own source", () =>
		withSession(reshaping, async (session) => {
			const error: unknown = await session
				.run({ x: tensor('float32', [3], [1, 2, 3]), s: tensor('int64', [2], [2, 2]) })
				.catch((thrown: unknown) => thrown);
			expect((error as Error).message).not.toMatch(/\.(cc|h):\d+/);
		}));

	it('fails to run for an output that it does not have', () =>
		withSession(doubling, (session) => expect(session.run({ x }, ['z'])).rejects.toMatchObject({ code: 'run_failed' })));
});
