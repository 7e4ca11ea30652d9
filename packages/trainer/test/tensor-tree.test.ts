import { tensor } from '@steelyard/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flattened, type TensorTree, treeOf } from '../src/job/tensor-tree.js';

const leaf = fc.double({ noNaN: true }).map((value) => tensor('float64', [1], [value]));
const trees: fc.Arbitrary<TensorTree> = fc.letrec<{ tree: TensorTree }>((tie) => ({
	tree: fc.dictionary(
		fc.oneof(fc.string(), fc.constantFrom('a/b', '~1', '~0/', '__proto__', '')),
		fc.oneof({ depthSize: 'small' }, leaf, tie('tree')),
		{
			minKeys: 1,
			maxKeys: 4,
		},
	),
})).tree;

describe('a tree of tensors', () => {
	it('comes back from its flat list, whatever its names are', () => {
		fc.assert(
			fc.property(trees, (tree) => {
				const flat = flattened(tree);
				expect([...flattened(treeOf(flat))]).toEqual([...flat]);
			}),
			{ seed: 1, numRuns: 300 },
		);
	});

	it('names each tensor by the names that lead to it', () => {
		const [one, other] = [tensor('float32', [1], [1]), tensor('float32', [1], [2])];
		expect([...flattened({ state: { small: one }, best: { 'a/b': other } }).keys()]).toEqual(['state/small', 'best/a~1b']);
	});
});
