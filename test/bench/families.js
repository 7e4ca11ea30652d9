// Training steps of our model families at batch 32, one thread, Adam.
import { optimizer as optimizerOf } from '../../packages/optim/dist/index.js';
import { loadProgram, sizeOf, tensor } from '../../packages/runtime/dist/index.js';
import { familyArchitecture } from '../../packages/trainer/dist/model/family-architecture.js';
import { SAMPLE_WEIGHT, TARGET, valuesName, weightName } from '../../packages/trainer/dist/model/value-names.js';
import { buildStep } from '../../packages/trainer/dist/step/build-step.js';
import { randomInputs, scalarInputs } from '../../packages/trainer/dist/step/chunk-inputs.js';
import { scanProgram } from '../../packages/trainer/dist/step/scan-program.js';
import { initialState } from '../../packages/trainer/dist/step/step-state.js';

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
	const program = await buildStep({
		architecture,
		batch: BATCH,
		task: { type: 'multiclass', classes: [], outputs: CLASSES },
		scale: { mean: 0, deviation: 1 },
		loss: 'cross_entropy',
		optimizer,
		clipNorm: null,
		standardisation: new Map(),
	});
	const random = (count, spread) => Float32Array.from({ length: count }, () => (Math.random() - 0.5) * 2 * spread);
	const loaded = await loadProgram(scanProgram(program), initialState(program, architecture.initial(1, 0)), { threads: 1 });
	const inputs = {};
	for (const { name, shape } of modalities) {
		inputs[valuesName(name)] = tensor('float32', [steps, BATCH, ...shape], random(steps * BATCH * sizeOf(shape), 1));
		inputs[weightName(name)] = tensor('float32', [steps, BATCH, 1], new Float32Array(steps * BATCH).fill(1));
	}
	const target = new Float32Array(steps * BATCH * CLASSES);
	for (let i = 0; i < steps * BATCH; i++) target[i * CLASSES + Math.floor(Math.random() * CLASSES)] = 1;
	inputs[TARGET] = tensor('float32', [steps, BATCH, CLASSES], target);
	inputs[SAMPLE_WEIGHT] = tensor('float32', [steps, BATCH, 1], new Float32Array(steps * BATCH).fill(1 / BATCH));
	const drawn = randomInputs(program);
	let step = 0;
	return async () => {
		const started = performance.now();
		const chunk = { step, length: steps };
		const random = drawn({ seed: 1, stream: 0, step }, steps);
		const scalars = scalarInputs(program, optimizer, chunk, () => 1e-3);
		step += steps;
		await loaded.run({ ...inputs, ...random, ...scalars });
		return (performance.now() - started) / steps;
	};
}
