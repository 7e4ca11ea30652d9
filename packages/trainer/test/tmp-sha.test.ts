import { createHash } from 'node:crypto';
import { appendFile, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseJobSpec } from '@steelyard/contracts';
import { it } from 'vitest';
import { train } from '../src/train.js';
import { smallDataset } from './small-dataset.js';

it('sha', async () => {
	for (const kind of ['binary', 'multiclass', 'regression'] as const)
		for (const preset of ['uniform', 'btw']) {
			const d = await smallDataset(kind);
			const output = await mkdtemp(join(tmpdir(), 'steelyard-sha-'));
			const spec = parseJobSpec({
				dataset: 'ds_1',
				device: 'cpu',
				model: { hidden: 16 },
				weighting: { preset, refresh_epochs: 2 },
				training: { epochs: 6, batch_size: 16, optimizer: { learning_rate: 0.01 }, clip_norm: 1 },
			});
			await train({ spec, dataset: d.folder, output, emit: () => {}, stopped: () => false });
			await appendFile(
				process.env['SHAOUT']!,
				`${kind} ${preset} ${createHash('sha256')
					.update(await readFile(join(output, 'model.onnx')))
					.digest('hex')}\n`,
			);
			await d.remove();
		}
}, 100000);
