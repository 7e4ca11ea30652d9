import { describe, expect, it } from 'vitest';
import { type Program, type ProgramModel, RuntimeError, type SessionOptions, type State, type Tensor, tensor } from '../src/index.js';
import { accumulating, unknownOperator } from './models.js';

/** How an implementation loads a program: as `loadProgram`. */
export type LoadProgram = (model: ProgramModel, state: State, options?: SessionOptions) => Promise<Program>;

const model: ProgramModel = { bytes: accumulating, state: { total: 'total_next', count: 'count_next' } };
const zero = { total: tensor('float32', [1, 3], [0, 0, 0]), count: tensor('int64', [], [0]) };
const step = (...factor: number[]): Record<string, Tensor> => ({
	x: tensor('float32', [1, 3], [1, 2, 3]),
	factor: tensor('float32', [factor.length], factor),
});
const numbers = (value: Tensor | undefined): number[] => Array.from(value?.data as ArrayLike<number | bigint>, Number);

/** What every implementation of `Program` must do. */
export function describeProgram(title: string, load: LoadProgram): void {
	/** Runs `use` on a program that is disposed of in any case. */
	const withProgram = async (state: State, use: (program: Program) => Promise<void>, of: ProgramModel = model): Promise<void> => {
		const program = await load(of, state);
		try {
			await use(program);
		} finally {
			await program.dispose();
		}
	};

	describe(title, () => {
		it('carries its state from run to run, scalars as well', () =>
			withProgram(zero, async (program) => {
				await program.run(step(1));
				const { mean } = await program.run(step(2));
				expect(numbers((await program.state())['total'])).toEqual([3, 6, 9]);
				expect(numbers((await program.state())['count'])).toEqual([2]);
				expect((await program.state())['count']!.shape).toEqual([]);
				expect(mean).toEqual(tensor('float32', [1, 3], [1.5, 3, 4.5]));
			}));

		it('takes inputs whose symbolic size changes from run to run', () =>
			withProgram(zero, async (program) => {
				await program.run(step(1, 2, 3));
				await program.run(step(4));
				expect(numbers((await program.state())['total'])).toEqual([10, 20, 30]);
			}));

		it('gives from a run the outputs that are not state, and only these', () =>
			withProgram(zero, async (program) => {
				expect(Object.keys(await program.run(step(1)))).toEqual(['mean']);
				expect(Object.keys(await program.state()).sort()).toEqual(['count', 'total']);
			}));

		it('starts from the state that it is given, and leaves the arrays of it as they are', () =>
			withProgram({ ...zero, total: tensor('float32', [1, 3], [10, 20, 30]) }, async (program) => {
				const before = await program.state();
				expect(numbers(before['total'])).toEqual([10, 20, 30]);
				await program.run(step(1));
				expect(numbers((await program.state())['total'])).toEqual([11, 22, 33]);
				expect(numbers(before['total'])).toEqual([10, 20, 30]);
			}));

		it('replaces a part of its state and keeps the rest', () =>
			withProgram(zero, async (program) => {
				await program.run(step(1));
				program.setState({ total: tensor('float32', [1, 3], [100, 100, 100]) });
				await program.run(step(1));
				expect(numbers((await program.state())['total'])).toEqual([101, 102, 103]);
				expect(numbers((await program.state())['count'])).toEqual([2]);
			}));

		it('gives the same bits when it runs again from a saved state', () =>
			withProgram(zero, async (program) => {
				await program.run(step(0.1, 0.7));
				const saved = await program.state();
				await program.run(step(0.3));
				const first = await program.state();
				program.setState(saved);
				await program.run(step(0.3));
				expect(await program.state()).toEqual(first);
			}));

		it('refuses state of another name or shape, naming it, and then has its state as before', () =>
			withProgram(zero, async (program) => {
				await program.run(step(1));
				const before = await program.state();
				expect(() => program.setState({ totals: tensor('float32', [1, 3], [1, 1, 1]) })).toThrow(RangeError);
				expect(() => program.setState({ totals: tensor('float32', [1, 3], [1, 1, 1]) })).toThrow(/"totals".*total, count/);
				expect(() => program.setState({ x: tensor('float32', [1, 3], [1, 1, 1]) })).toThrow(/"x" is not state/);
				expect(() => program.setState({ total: tensor('float32', [3], [1, 1, 1]) })).toThrow(/"total" has shape \[1,3\], found \[3\]/);
				expect(() => program.setState({ count: tensor('int64', [], [5]), total: tensor('float32', [1, 2], [1, 1]) })).toThrow(RangeError);
				expect(await program.state()).toEqual(before);
			}));

		it('refuses to start without all of its state, or with state that is not its own', async () => {
			await expect(load(model, { total: zero.total })).rejects.toThrow(/state is missing for count/);
			await expect(load(model, { ...zero, more: zero.count })).rejects.toThrow(/"more" is not state/);
			await expect(load(model, { ...zero, total: zero.count })).rejects.toThrow(/"total" has shape/);
		});

		it('refuses a run without an input, and then runs on from the state before it', () =>
			withProgram(zero, async (program) => {
				await program.run(step(1));
				const { x } = step(1);
				await expect(program.run({ x: x! })).rejects.toMatchObject({
					name: 'RuntimeError',
					code: 'run_failed',
					message: expect.stringContaining('factor'),
				});
				await program.run(step(1));
				expect(numbers((await program.state())['count'])).toEqual([2]);
			}));

		it('takes inputs under other names than those of the model where it is told to', () =>
			withProgram(
				zero,
				async (program) => {
					const { x, factor } = step(1, 2);
					const { mean } = await program.run({ rows: x!, factor: factor! });
					expect(numbers(mean)).toEqual([3, 6, 9]);
				},
				{ ...model, inputs: { rows: 'x' } },
			));

		it('runs a model without any state', () =>
			withProgram(
				{},
				async (program) => {
					const { mean } = await program.run({ ...zero, ...step(4) });
					expect(numbers(mean)).toEqual([4, 8, 12]);
					expect(await program.state()).toEqual({});
				},
				{ bytes: accumulating, state: {} },
			));

		it('refuses a model that the runtime does not load', async () => {
			await expect(load({ bytes: unknownOperator, state: {} }, {})).rejects.toThrow(RuntimeError);
			await expect(load({ bytes: unknownOperator, state: {} }, {})).rejects.toMatchObject({ code: 'model_refused' });
		});

		it('runs beside another of the same model, each with its own state', () =>
			withProgram(zero, (one) =>
				withProgram(zero, async (other) => {
					await one.run(step(1));
					await other.run(step(5));
					expect(numbers((await one.state())['total'])).toEqual([1, 2, 3]);
					expect(numbers((await other.state())['total'])).toEqual([5, 10, 15]);
				}),
			));
	});
}
