import { describe, expect, it } from 'vitest';
import { loadBoundSession, placeTensors, type Tensor } from '../src/index.js';
import { accumulating, doubling, reshaping, unknownOperator } from './models.js';

const matrix = { dtype: 'float32' as const, shape: [2, 2] };
const at = (tensors: Record<string, Tensor>, name: string): Tensor => tensors[name]!;

describe('a bound session', () => {
	it('reads what its inputs hold at each run, and writes its outputs where they lie', async () => {
		const { tensors } = placeTensors({ x: matrix, y: matrix });
		const { x, y } = { x: at(tensors, 'x'), y: at(tensors, 'y') };
		const session = await loadBoundSession(doubling, { inputs: { x }, outputs: { y } });
		(x.data as Float32Array).set([1, 2, 3, 4]);
		session.run();
		expect([...(y.data as Float32Array)]).toEqual([2, 4, 6, 8]);
		(x.data as Float32Array).set([5, 0, 0, 0]);
		session.run();
		expect([...(y.data as Float32Array)]).toEqual([10, 0, 0, 0]);
		session.release();
	});

	it('takes scalars and int64', async () => {
		const { tensors } = placeTensors({
			total: { dtype: 'float32', shape: [1, 3] },
			count: { dtype: 'int64', shape: [] },
			x: { dtype: 'float32', shape: [1, 3] },
			factor: { dtype: 'float32', shape: [2] },
			count_next: { dtype: 'int64', shape: [] },
			mean: { dtype: 'float32', shape: [1, 3] },
			total_next: { dtype: 'float32', shape: [1, 3] },
		});
		const only = (...names: string[]) => Object.fromEntries(names.map((name) => [name, at(tensors, name)]));
		(at(tensors, 'x').data as Float32Array).set([1, 2, 3]);
		(at(tensors, 'factor').data as Float32Array).set([1, 3]);
		(at(tensors, 'count').data as BigInt64Array).set([1n]);
		const session = await loadBoundSession(accumulating, {
			inputs: only('total', 'count', 'x', 'factor'),
			outputs: only('total_next', 'count_next', 'mean'),
		});
		session.run();
		expect([...(at(tensors, 'mean').data as Float32Array)]).toEqual([2, 4, 6]);
		expect([...(at(tensors, 'count_next').data as BigInt64Array)]).toEqual([2n]);
		session.release();
	});

	it('refuses what ONNX Runtime does not load, and a tensor that no input or output takes, in its words', async () => {
		const { tensors } = placeTensors({ x: matrix, y: matrix, z: matrix });
		const { x, y, z } = { x: at(tensors, 'x'), y: at(tensors, 'y'), z: at(tensors, 'z') };
		await expect(loadBoundSession(unknownOperator, { inputs: {}, outputs: {} })).rejects.toMatchObject({
			...{ name: 'RuntimeError', code: 'model_refused', message: expect.stringContaining('Frobnicate') },
		});
		await expect(loadBoundSession(doubling, { inputs: { z }, outputs: { y } })).rejects.toMatchObject({ code: 'model_refused' });
		const session = await loadBoundSession(doubling, { inputs: { x }, outputs: { y } });
		session.release();
	});

	it('reports a run that fails, and can run again', async () => {
		const { tensors } = placeTensors({
			x: { dtype: 'float32', shape: [4] },
			s: { dtype: 'int64', shape: [2] },
			y: matrix,
		});
		const { x, s, y } = { x: at(tensors, 'x'), s: at(tensors, 's'), y: at(tensors, 'y') };
		const session = await loadBoundSession(reshaping, { inputs: { x, s }, outputs: { y } });
		(s.data as BigInt64Array).set([3n, 2n]);
		expect(() => session.run()).toThrow(expect.objectContaining({ name: 'RuntimeError', code: 'run_failed' }));
		(s.data as BigInt64Array).set([2n, 2n]);
		(x.data as Float32Array).set([1, 2, 3, 4]);
		session.run();
		expect([...(y.data as Float32Array)]).toEqual([1, 2, 3, 4]);
		session.release();
	});
});

describe('tensors in one memory', () => {
	it('are zeros, begin at cache lines, and lie apart', () => {
		const { tensors, memory } = placeTensors({
			flag: { dtype: 'bool', shape: [3] },
			scalar: { dtype: 'float64', shape: [] },
			rows: { dtype: 'float32', shape: [2, 5] },
		});
		expect(Object.entries(tensors).map(([name, { dtype, shape, data }]) => [name, dtype, shape, Array.from(data, Number)])).toEqual([
			['flag', 'bool', [3], [0, 0, 0]],
			['scalar', 'float64', [], [0]],
			['rows', 'float32', [2, 5], Array(10).fill(0)],
		]);
		const places = Object.values(tensors).map(({ data }) => data.byteOffset);
		for (const place of places) expect(place % 64).toBe(0);
		expect(new Set(places).size).toBe(3);
		expect(memory.buffer.byteLength).toBe(65536);
	});

	it('are refused where they take more than 4 GiB', () => {
		expect(() => placeTensors({ large: { dtype: 'float32', shape: [2 ** 30] } })).toThrow(/bytes do not fit into one memory/);
	});
});
