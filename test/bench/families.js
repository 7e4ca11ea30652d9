// Training steps of our model families at batch 32, one thread, Adam.
import { optimizer as optimizerOf } from '../../packages/optim/dist/index.js';
import { loadProgram, sizeOf, tensor } from '../../packages/runtime/dist/index.js';
import { drawPool, drawRows } from '../../packages/trainer/dist/dropout-pool.js';
import { familyArchitecture } from '../../packages/trainer/dist/family-architecture.js';
import { compileTrainProgram } from '../../packages/trainer/dist/train-program.js';

const BATCH = 32;
const CLASSES = 3;

/** By name: the steps of a chunk, a config, and the shape of each modality. */
export const families = {
	fusion: {
		steps: 200,
		config: { family: 'mlp-fusion', hidden: 128, encoder_layers: 2, head_layers: 2 },
		shapes: { a: [768], b: [64], c: [64] },
	},
	experts: {
		steps: 10,
		config: {
			...{ family: 'mmim-moe', width: 128, layers: 2, block: 'attention', router: 'permod', gate: 'laplace', noisy: true },
			...{ experts: 16, top_k: 2, expert_hidden: 768, balance: 0.01, dropout: 0.1 },
			sequence: { cell: 'lstm', bidirectional: true, hidden: 64 },
		},
		shapes: { text: [30, 64], audio: [30, 32], static: [16] },
	},
};

/** Compiles the steps of that name and gives a function that runs a chunk of them and returns milliseconds a step. */
export async function familySteps(name) {
	const { steps, config, shapes } = families[name];
	const modalities = Object.entries(shapes).map(([name, shape]) => ({ name, shape, maskedSteps: false }));
	const architecture = familyArchitecture({ config, modalities, outputs: CLASSES });
	const optimizer = optimizerOf({ name: 'adam', weightDecay: 0, momentum: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
	const program = await compileTrainProgram({
		architecture,
		batch: BATCH,
		loss: 'cross_entropy',
		optimizer,
		clipNorm: null,
		standardisation: new Map(),
	});
	const random = (count, spread) => Float32Array.from({ length: count }, () => (Math.random() - 0.5) * 2 * spread);
	const initial = architecture.initial(1, 0);
	const state = {};
	for (const { name, size, members } of program.layout) {
		const values = new Float32Array(size);
		let offset = 0;
		for (const member of members) {
			values.set(initial.get(member.name), offset);
			offset += sizeOf(member.shape);
		}
		state[`state/${name}`] = tensor('float32', [1, size], values);
		for (const slot of optimizer.slots) state[`state/${name}/${slot}`] = tensor('float32', [1, size], new Float32Array(size));
	}
	const loaded = await loadProgram(program.model, state, { threads: 1 });
	const inputs = {};
	for (const { name, shape } of modalities) {
		inputs[`chunk/x.${name}`] = tensor('float32', [steps, BATCH, ...shape], random(steps * BATCH * sizeOf(shape), 1));
		inputs[`chunk/w.${name}`] = tensor('float32', [steps, BATCH, 1], new Float32Array(steps * BATCH).fill(1));
	}
	const target = new Float32Array(steps * BATCH * CLASSES);
	for (let i = 0; i < steps * BATCH; i++) target[i * CLASSES + Math.floor(Math.random() * CLASSES)] = 1;
	inputs['chunk/target'] = tensor('float32', [steps, BATCH, CLASSES], target);
	inputs['chunk/sample_weight'] = tensor('float32', [steps, BATCH, 1], new Float32Array(steps * BATCH).fill(1 / BATCH));
	const sites = architecture.dropouts(BATCH);
	if (sites.length > 0) inputs['dropout/pool'] = drawPool({ seed: 1, stream: 0, step: 0 });
	let step = 0;
	return async () => {
		const started = performance.now();
		drawRows({ seed: 1, stream: 0, step }, steps, sites).forEach((rows, site) => {
			inputs[`chunk/dropout.${site}`] = rows;
		});
		const places = Array.from({ length: steps }, (_, j) => optimizer.scalarsAt({ step: ++step, inChunk: j + 1, learningRate: 1e-3 }));
		for (const name of program.scalars)
			inputs[`chunk/${name}`] = tensor(
				'float32',
				name === 'lossScale' ? [steps] : [steps, 1, 1],
				places.map((place) => place[name]),
			);
		for (const [slot, factor] of Object.entries(optimizer.afterChunk(steps))) inputs[`after/${slot}`] = tensor('float32', [1, 1], [factor]);
		await loaded.run(inputs);
		return (performance.now() - started) / steps;
	};
}
