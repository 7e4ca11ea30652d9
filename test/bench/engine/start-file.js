// What ours and every peer begin with: the parameters, and the inputs and targets of a chunk, as one safetensors file.
import { open } from 'node:fs/promises';
import { counterRandom } from '../../../packages/random/dist/index.js';
import { tensor } from '../../../packages/runtime/dist/index.js';
import { safetensorsParts } from '../../../packages/trainer/dist/job/safetensors.js';

/** Inputs of `[steps, batch, …]` from U(−1, 1), or of the shape that `shapes` gives under `[steps, …]`, and a one-hot target, drawn from a seed. */
export function drawData(shapes, { chunk, batch, classes }, targetShape = [batch, classes]) {
	const random = counterRandom(1, 0);
	const drawn = (shape) => {
		const values = new Float32Array(shape.reduce((all, size) => all * size, 1));
		for (let i = 0; i < values.length; i++) values[i] = 2 * random.uniform() - 1;
		return tensor('float32', shape, values);
	};
	const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, drawn([chunk, ...shape])]));
	const target = new Float32Array(chunk * batch * classes);
	for (let i = 0; i < chunk * batch; i++) target[i * classes + Math.floor(random.uniform() * classes)] = 1;
	return { inputs, target: tensor('float32', [chunk, ...targetShape], target) };
}

/** Writes it: `parameter/<name>`, `input/<name>` and `target`, and the row with its options as metadata. */
export async function writeStart(path, row, { parameters, inputs, target }) {
	const tensors = new Map([
		...[...parameters].map(([name, value]) => [`parameter/${name}`, value]),
		...Object.entries(inputs).map(([name, value]) => [`input/${name}`, value]),
		['target', target],
	]);
	const { model, options, batch, chunk, rate } = row;
	const file = await open(path, 'w');
	try {
		for (const part of safetensorsParts(tensors, { row: JSON.stringify({ model, options, batch, chunk, rate }) })) await file.write(part);
	} finally {
		await file.close();
	}
}
