import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseJobSpec } from '@steelyard/contracts';
import { ingest } from '@steelyard/dataset';
import { train } from '@steelyard/trainer';

/**
 * Trains the job of a folder that generate.py or generate_keras.py wrote, whose every step takes all rows.
 *
 * @returns the loss before each step, and what the other framework has for it in float32 and in float64
 */
export async function trainJob(/** @type {string} */ folder) {
	const { model, training, losses, exactLosses } = JSON.parse(await readFile(join(folder, 'job.json'), 'utf8'));
	const spec = parseJobSpec({ dataset: 'ds_1', device: 'cpu', model: { family: 'custom', model: 'mdl_1', ...model }, training });
	const root = await mkdtemp(join(tmpdir(), 'steelyard-training-'));
	try {
		const [dataset, output] = [join(root, 'dataset'), join(root, 'output')];
		await mkdir(dataset);
		await mkdir(output);
		await ingest(join(folder, 'dataset.zip'), dataset);
		/** @type {number[]} */
		const found = [];
		const outcome = await train({
			...{ spec, dataset, output, model: join(folder, 'model.onnx') },
			emit: (event) => {
				if (event.type === 'epoch') found.push(event.train_loss);
			},
			stopped: () => false,
		});
		if (outcome.status !== 'done') throw new Error('stopped');
		return { found, expected: /** @type {number[]} */ (losses), exact: /** @type {number[]} */ (exactLosses) };
	} finally {
		await rm(root, { recursive: true });
	}
}
