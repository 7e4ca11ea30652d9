import { counterRandom } from '@steelyard/random';
import { expect, it } from 'vitest';
import { heldOut } from '../src/index.js';

it.each([
	['of two classes', 500, 2, 0.2],
	['of classes of which some have a row or two', 60, 40, 0.3],
	['of classes that have a row each', 10, 10, 0.3],
	['without classes', 77, 0, 0.5],
])('holds out the same rows where none has a group and where each is one of its own, %s', (_, rows, classes, fraction) => {
	const random = counterRandom(2, 'classes');
	const labels =
		classes === rows ? Int32Array.from({ length: rows }, (_, i) => i) : new Int32Array(rows).map(() => random.below(Math.max(1, classes)));
	const how = { classes, fraction, seed: 3, stream: 'test' };
	const held = heldOut({ rows, labels, groups: null }, how);
	expect(held).toEqual(heldOut({ rows, labels, groups: Int32Array.from({ length: rows }, (_, i) => i) }, how));
	expect(held).toContain(1);
	expect(held).toContain(0);
});
