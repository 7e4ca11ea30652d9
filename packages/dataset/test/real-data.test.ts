import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ingest, openDataset, trainingRows } from '../src/index.js';
import { temporaryFolders } from './temporary-folder.js';

const data = fileURLToPath(new URL('../../../../shared/data/', import.meta.url));

describe.skipIf(!existsSync(data))('the datasets of shared/data', () => {
	it.each(['handwritten', 'mosi_std', 'p12_icu', 'rosmap'])('%s is read with the rows and shapes of its manifest', async (name) => {
		const { target } = await temporaryFolders();
		const manifest = JSON.parse(await readFile(join(data, name, 'manifest.json'), 'utf8'));
		const { profile } = await ingest(join(data, name), target);
		expect(Object.fromEntries(Object.entries(profile.splits).map(([split, { rows }]) => [split, rows]))).toEqual(manifest.splits);
		for (const modality of Object.keys(manifest.modalities))
			expect(profile.modalities[modality]?.shape).toEqual(manifest.modalities[modality].shape);
		expect(Object.keys(profile.modalities)).toEqual(Object.keys(manifest.modalities));
		expect((await readdir(target)).filter((file) => /index|record|embedding/.test(file))).toEqual([]);

		const dataset = openDataset(target);
		const train = dataset.split('train');
		const { train: kept, validation } = trainingRows(dataset, { fraction: 0.2, seed: 1 });
		expect(validation.split).toBe(manifest.splits.valid === undefined ? 'train' : 'valid');
		expect(kept.rows.length + (validation.split === 'train' ? validation.rows.length : 0)).toBe(train.rows);
		expect(train.groups === null).toBe(manifest.group === undefined);

		const modality = Object.keys(manifest.modalities)[0] as string;
		const size = train.shape(modality).reduce((product, axis) => product * axis, 1);
		const last = new Float32Array(size);
		train.gather(modality, [train.rows - 1], last);
		const file = await readFile(join(data, name, `train_${modality}.npy`));
		expect(Buffer.from(last.buffer).equals(file.subarray(-4 * size))).toBe(true);
		dataset.close();
	});
});
