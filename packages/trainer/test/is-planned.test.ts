import { GraphBuilder } from '@steelyard/onnx';
import { describe, expect, it } from 'vitest';
import { isPlanned } from '../src/step/is-planned.js';

/** Some products of a value of so many numbers with itself. */
function products(numbers: number, count: number) {
	const g = new GraphBuilder();
	let x = g.input('x', 'float32', [numbers]);
	for (let i = 0; i < count; i++) x = g.mul(x, x);
	g.output('y', x);
	return g.build('products');
}

describe('the memory of a step', () => {
	it('is laid out where its values are few, however many operators there are', () => {
		expect(isPlanned(products(1000, 500))).toBe(true);
	});
	it('is not where they would be held twice, as those of a transformer of 4 layers', () => {
		expect(isPlanned(products(2 ** 22, 25))).toBe(false);
	});
});
