import type { Manifest } from '@steelyard/contracts';
import { type Files, npy } from '../../packages/dataset/test/write-npy.js';

const ROWS = 20;

/** The files that a manifest speaks of, by name: itself, and every modality, the labels and the groups of `train`, `test` and its further splits. */
export function manifestFiles(manifest: Manifest): Files {
	const { task, modalities = { signal: {} }, splits = {}, group } = manifest;
	const files: Files = { 'manifest.json': JSON.stringify(manifest) };
	const floats = (shape: number[], value: (i: number) => number): Buffer =>
		npy(
			'<f4',
			shape,
			Array.from({ length: shape.reduce((size, axis) => size * axis, 1) }, (_, i) => value(i)),
		);
	for (const split of ['train', 'test', ...Object.keys(splits)]) {
		const positions = task.per === 'position' ? [3] : [];
		const labels = [ROWS, ...(task.type === 'multilabel' ? [task.classes?.length ?? 3] : positions)];
		files[`${split}_labels.npy`] = floats(labels, (i) => i % 2);
		for (const [name, { shape = [4] }] of Object.entries(modalities)) files[`${split}_${name}.npy`] = floats([ROWS, ...shape], Math.sin);
		if (group !== undefined)
			files[`${split}_${group}.npy`] = npy(
				'<i4',
				[ROWS],
				Array.from({ length: ROWS }, (_, row) => Math.floor(row / 4)),
			);
	}
	return files;
}
