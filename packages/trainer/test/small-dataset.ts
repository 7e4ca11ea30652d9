import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ingest } from '@steelyard/dataset';
import { counterRandom } from '@steelyard/random';

type Kind = 'binary' | 'multiclass' | 'multilabel' | 'regression';

const LABELS = 3;

function npy(descr: string, shape: number[], bytes: Uint8Array): Uint8Array {
	const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
	const header = Buffer.from(`${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`);
	const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length & 255, header.length >> 8]);
	return Buffer.concat([start, header, bytes]);
}
const floats = (shape: number[], data: Float32Array) => npy('<f4', shape, new Uint8Array(data.buffer));

/**
 * A dataset that can be learnt: modalities `a` [6] (informative), `b` [3, 2] (a sequence with masked steps, half informative), `c` [2] (noise, missing in
 * some rows); splits train 90, valid 30, test 40. Multilabel has three labels, of which `a` tells all and `b` the first two. Returns the folder of its files, the validated one, and how to remove both.
 */
export async function smallDataset(kind: Kind): Promise<{ source: string; folder: string; remove: () => Promise<void> }> {
	const root = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
	const [source, folder] = [join(root, 'source'), join(root, 'dataset')];
	await mkdir(source);
	await mkdir(folder);
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
		const put = (name: string, bytes: Uint8Array) => writeFile(join(source, `${split}_${name}.npy`), bytes);
		await put('a', floats([rows, 6], a));
		await put('b', floats([rows, 3, 2], b));
		await put('b_mask', npy('|u1', [rows, 3], stepMask));
		await put('c', floats([rows, 2], c));
		await put('c_mask', npy('|u1', [rows], rowMask));
		await put(
			'labels',
			kind === 'regression' || kind === 'multilabel'
				? floats(kind === 'multilabel' ? [rows, LABELS] : [rows], Float32Array.from(labels))
				: npy('<i4', [rows], new Uint8Array(Int32Array.from(labels).buffer)),
		);
	}
	if (kind === 'multilabel') {
		const task = { type: kind, classes: ['x', 'y', 'z'] };
		await writeFile(join(source, 'manifest.json'), JSON.stringify({ task, modalities: { a: {}, b: {}, c: {} } }));
	}
	await ingest(source, folder);
	return { source, folder, remove: () => rm(root, { recursive: true }) };
}
