// One training step of a three-modality mlp-fusion model (768, 64 and 64 features, width 128, 3 classes) at batch 32, one thread, Adam.
import { optimizer as optimizerOf } from '../../packages/optim/dist/index.js';
import { loadProgram, sizeOf, tensor } from '../../packages/runtime/dist/index.js';
import { familyArchitecture } from '../../packages/trainer/dist/family-architecture.js';
import { compileTrainProgram } from '../../packages/trainer/dist/train-program.js';

const BATCH = 32;
const STEPS = 200;
const FEATURES = { a: 768, b: 64, c: 64 };
const CLASSES = 3;

/** Gives a function that runs a chunk of STEPS steps and returns milliseconds a step. */
export async function fusion() {
	const modalities = Object.entries(FEATURES).map(([name, features]) => ({ name, shape: [features], maskedSteps: false }));
	const config = { family: 'mlp-fusion', hidden: 128, encoder_layers: 2, head_layers: 2 };
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
	const state = {};
	for (const { name, size } of program.layout) {
		state[`state/${name}`] = tensor('float32', [1, size], random(size, 0.05));
		for (const slot of optimizer.slots) state[`state/${name}/${slot}`] = tensor('float32', [1, size], new Float32Array(size));
	}
	const loaded = await loadProgram(program.model, state, { threads: 1 });
	const inputs = {};
	for (const { name, shape } of modalities) {
		inputs[`chunk/x.${name}`] = tensor('float32', [STEPS, BATCH, ...shape], random(STEPS * BATCH * sizeOf(shape), 1));
		inputs[`chunk/w.${name}`] = tensor('float32', [STEPS, BATCH, 1], new Float32Array(STEPS * BATCH).fill(1));
	}
	const target = new Float32Array(STEPS * BATCH * CLASSES);
	for (let i = 0; i < STEPS * BATCH; i++) target[i * CLASSES + Math.floor(Math.random() * CLASSES)] = 1;
	inputs['chunk/target'] = tensor('float32', [STEPS, BATCH, CLASSES], target);
	inputs['chunk/sample_weight'] = tensor('float32', [STEPS, BATCH, 1], new Float32Array(STEPS * BATCH).fill(1 / BATCH));
	let step = 0;
	return async () => {
		const places = Array.from({ length: STEPS }, (_, j) => optimizer.scalarsAt({ step: ++step, inChunk: j + 1, learningRate: 1e-3 }));
		const started = performance.now();
		for (const name of program.scalars)
			inputs[`chunk/${name}`] = tensor(
				'float32',
				name === 'lossScale' ? [STEPS] : [STEPS, 1, 1],
				places.map((place) => place[name]),
			);
		for (const [slot, factor] of Object.entries(optimizer.afterChunk(STEPS))) inputs[`after/${slot}`] = tensor('float32', [1, 1], [factor]);
		await loaded.run(inputs);
		return (performance.now() - started) / STEPS;
	};
}
