// Trains what generate.py made by `differentiate` and a loop of its own, and holds the losses against PyTorch's: `node test/zoo/trainings/run.js OUT [name …]`.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { differentiateModel } from '@steelyard/model-file';
import { sizeOf, tensor } from '@steelyard/runtime';
import { lossCurve, trainingStep } from '../../training-step.js';
import { readTensors } from '../tensors.js';
import { furthest } from './follows.js';

/** Some rows of every input. */
function gather(/** @type {Record<string, import('../tensors.js').Tensor>} */ data, /** @type {number[]} */ rows) {
	return Object.fromEntries(
		Object.entries(data).map(([name, { dtype, shape, data: all }]) => {
			const size = sizeOf(shape.slice(1));
			const Kind = /** @type {any} */ (all.constructor);
			const values = new Kind(size * rows.length);
			rows.forEach((row, i) => {
				values.set(all.subarray(row * size, (row + 1) * size), i * size);
			});
			return [name, tensor(/** @type {any} */ (dtype), [rows.length, ...shape.slice(1)], values)];
		}),
	);
}

async function train(/** @type {string} */ folder) {
	const curve = JSON.parse(await readFile(join(folder, 'curve.json'), 'utf8'));
	const made = await differentiateModel(new Uint8Array(await readFile(join(folder, 'model.onnx'))), { loss: 'loss', batch: curve.batch });
	const data = await readTensors(join(folder, 'data.safetensors'));
	const options = { name: curve.optimizer, weightDecay: curve.weightDecay, momentum: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
	const step = trainingStep(made.bytes, made.wrt, options);
	const batches = curve.batches.map((/** @type {number[]} */ rows) => gather(data, rows));
	const losses = await lossCurve(step, batches, curve.learningRate);
	const { share, step: at } = furthest(losses, curve.losses, curve.exactLosses);
	const line = `${losses[0]?.toFixed(5)} → ${losses.at(-1)?.toFixed(5)}, PyTorch ${curve.losses.at(-1).toFixed(5)}`;
	return { follows: share <= 1, words: `${line}; furthest at step ${at}, ${share.toFixed(2)} of the tolerance` };
}

const [out = '', ...names] = process.argv.slice(2);
for (const name of names.length > 0 ? names : (await readdir(out)).sort()) {
	const { follows, words } = await train(join(out, name)).catch((error) => ({
		follows: false,
		words: String(error.message).slice(0, 400),
	}));
	if (!follows) process.exitCode = 1;
	process.stdout.write(`${name.padEnd(14)} ${follows ? 'follows' : 'FAILS'}  ${words}\n`);
}
