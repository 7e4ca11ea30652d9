import { counterRandom } from '@steelyard/random';
import { arrayDataset, type Npy, type StoredDataset } from './array-dataset.js';

type Kind = 'binary' | 'multiclass' | 'multilabel' | 'regression';

const LABELS = 3;

/**
 * A dataset that can be learnt: modalities `a` [6] (informative), `b` [3, 2] (a sequence with masked steps, half informative), `c` [2] (noise, missing in
 * some rows); splits train 90, valid 30, test 40. Multilabel has three labels, of which `a` tells all and `b` the first two.
 */
export async function smallDataset(kind: Kind): Promise<StoredDataset> {
	const arrays: Record<string, Npy> = {};
	const random = counterRandom(7, kind);
	const normal = () => random.normal();
	for (const [split, rows] of Object.entries({ train: 90, valid: 30, test: 40 })) {
		const label = (i: number) => (kind === 'regression' ? 3 * normal() + 10 : i % (kind === 'binary' ? 2 : 3));
		const flag = () => (random.uniform() < 0.4 ? 1 : 0);
		const labels = Array.from({ length: kind === 'multilabel' ? rows * LABELS : rows }, (_, i) =>
			kind === 'multilabel' ? flag() : label(i),
		);
		const signal = (i: number, k: number, factor = 1) => {
			if (kind === 'multilabel') return 2 * labels[i * LABELS + k]! - 1;
			return factor * (kind === 'regression' ? (labels[i]! - 10) / 3 : labels[i]!);
		};
		const a = Float32Array.from({ length: rows * 6 }, (_, k) => signal(Math.floor(k / 6), k % 3, (k % 3) - 1) + 0.7 * normal() + 5);
		const b = Float32Array.from({ length: rows * 6 }, (_, k) => 0.5 * signal(Math.floor(k / 6), k % 2) + normal());
		const stepMask = Uint8Array.from({ length: rows * 3 }, (_, k) => (k % 3 === 0 || random.uniform() < 0.7 ? 1 : 0));
		const c = Float32Array.from({ length: rows * 2 }, normal);
		const rowMask = Uint8Array.from({ length: rows }, (_, i) => (i % 5 === 0 ? 0 : 1));
		const put = (name: string, shape: number[], data: Npy['data']): void => void (arrays[`${split}_${name}`] = { shape, data });
		put('a', [rows, 6], a);
		put('b', [rows, 3, 2], b);
		put('b_mask', [rows, 3], stepMask);
		put('c', [rows, 2], c);
		put('c_mask', [rows], rowMask);
		if (kind === 'multilabel') put('labels', [rows, LABELS], Float32Array.from(labels));
		else put('labels', [rows], kind === 'regression' ? Float32Array.from(labels) : Int32Array.from(labels));
	}
	const task = { type: kind, classes: ['x', 'y', 'z'] };
	return arrayDataset(arrays, kind === 'multilabel' ? { task, modalities: { a: {}, b: {}, c: {} } } : null);
}
