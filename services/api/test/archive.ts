import { buffer } from 'node:stream/consumers';
import type { TaskType } from '@steelyard/contracts';
import yazl from 'yazl';

/** A `.npy` file (format version 1.0) of little-endian values. */
export function npy(descr: string, shape: readonly number[], data: Float32Array | Int32Array): Buffer {
	const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.map((n) => `${n},`).join(' ')}), }`;
	const padded = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
	const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded.length & 0xff, padded.length >> 8]);
	return Buffer.concat([start, Buffer.from(padded, 'latin1'), Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}

export async function zip(files: Record<string, Buffer | string>): Promise<Buffer> {
	const archive = new yazl.ZipFile();
	for (const [name, content] of Object.entries(files)) archive.addBuffer(Buffer.from(content), name);
	archive.end();
	return buffer(archive.outputStream);
}

const ROWS = 12;
const features = (seed: number) => Float32Array.from({ length: ROWS * 2 }, (_, i) => Math.sin(seed + i));

/** Files of a small dataset with the modalities `labs` and `text`. */
export function datasetFiles(task: TaskType): Record<string, Buffer | string> {
	const labels = {
		binary: () =>
			npy(
				'<i4',
				[ROWS],
				Int32Array.from({ length: ROWS }, (_, i) => i % 2),
			),
		multiclass: () =>
			npy(
				'<i4',
				[ROWS],
				Int32Array.from({ length: ROWS }, (_, i) => i % 3),
			),
		multilabel: () =>
			npy(
				'<f4',
				[ROWS, 2],
				Float32Array.from({ length: ROWS * 2 }, (_, i) => i % 2),
			),
		regression: () =>
			npy(
				'<f4',
				[ROWS],
				Float32Array.from({ length: ROWS }, (_, i) => i / 7),
			),
	}[task];
	const classes = { binary: ['no', 'yes'], multiclass: ['a', 'b', 'c'], multilabel: ['x', 'y'], regression: undefined }[task];
	const files: Record<string, Buffer | string> = {
		'manifest.json': JSON.stringify({
			name: `small ${task}`,
			task: { type: task, ...(classes && { classes }) },
			modalities: { labs: {}, text: {} },
		}),
	};
	for (const [seed, split] of ['train', 'test'].entries()) {
		files[`${split}_labs.npy`] = npy('<f4', [ROWS, 2], features(seed));
		files[`${split}_text.npy`] = npy('<f4', [ROWS, 2], features(seed + 9));
		files[`${split}_labels.npy`] = labels();
	}
	return files;
}

export const datasetArchive = (task: TaskType): Promise<Buffer> => zip(datasetFiles(task));
