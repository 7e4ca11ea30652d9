import { counterRandom } from '@steelyard/random';
import { placeTensors } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { kernelsOver } from '../src/index.js';
import { compiledKernels } from '../src/kernels/compile.js';
import { KERNELS } from '../src/kernels/kernel-bytes.js';

describe('the kernels', () => {
	it('are what their source is compiled to', async () => {
		expect(KERNELS).toBe(await compiledKernels());
	});

	it.each([1, 3, 4, 5, 1001])('sum the squares of %d numbers in float64', (size) => {
		const { memory, tensors } = placeTensors({ vector: { dtype: 'float32', shape: [size] } });
		const vector = tensors['vector']!.data as Float32Array;
		const random = counterRandom(1, 'squares');
		for (let i = 0; i < size; i++) vector[i] = 1e4 * random.normal();
		const expected = vector.reduce((sum, value) => sum + value * value, 0);
		expect(kernelsOver(memory).sumOfSquares(vector.byteOffset, size) / expected).toBeCloseTo(1, 12);
	});

	it('leave vectors beside those that they change alone', () => {
		const four = { dtype: 'float32' as const, shape: [5] };
		const { memory, tensors } = placeTensors({ before: four, parameter: four, gradient: four, after: four });
		const at = (name: string): Float32Array => tensors[name]!.data as Float32Array;
		for (const name of Object.keys(tensors)) at(name).fill(1);
		kernelsOver(memory).sgd(at('parameter').byteOffset, at('gradient').byteOffset, 5, 1, 0, -0.5);
		expect([...at('parameter')]).toEqual([0.5, 0.5, 0.5, 0.5, 0.5]);
		for (const name of ['before', 'gradient', 'after']) expect([...at(name)], name).toEqual([1, 1, 1, 1, 1]);
	});
});
