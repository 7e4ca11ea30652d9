import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes float64 values as an `.npy` file in C order and gives its path; `header` replaces the one that fits them. */
export async function npyFile(
	folder: string,
	name: string,
	shape: readonly number[],
	values: readonly number[],
	header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${shape.map((axis) => `${axis}, `).join('')}), }`,
): Promise<string> {
	const text = `${header.padEnd(117)}\n`;
	const prefix = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, text.length, 0]);
	const path = join(folder, `${name}.npy`);
	await writeFile(path, Buffer.concat([prefix, Buffer.from(text), Buffer.from(Float64Array.from(values).buffer)]));
	return path;
}
