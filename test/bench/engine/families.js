// Training of a built-in family in the program that the trainer builds for it.
import { optimizer as optimizerOf } from '../../../packages/optim/dist/index.js';
import { tensor } from '../../../packages/runtime/dist/index.js';
import { familyArchitecture } from '../../../packages/trainer/dist/model/family-architecture.js';
import { presenceName, SAMPLE_WEIGHT, TARGET, valuesName, weightName } from '../../../packages/trainer/dist/model/value-names.js';
import { randomInputs, scalarInputs } from '../../../packages/trainer/dist/step/chunk-inputs.js';
import { openStep } from '../../../packages/trainer/dist/step/open-step.js';
import { initialState } from '../../../packages/trainer/dist/step/step-state.js';
import { drawData } from './start-file.js';

/** Everything about the training of a row: what it starts from, and `run`, which trains a chunk and gives the loss of each step. */
export async function familyTraining(row, { threads, provider }) {
	const { family: config, shapes, batch, chunk: steps, classes, rate } = row;
	const modalities = Object.entries(shapes).map(([name, shape]) => ({ name, shape, maskedSteps: false }));
	const architecture = familyArchitecture({ config, modalities, outputs: classes });
	const optimizer = optimizerOf({ name: 'adam', weightDecay: 0, momentum: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
	const task = { type: 'multiclass', classes: [], outputs: classes };
	const scale = { mean: 0, deviation: 1 };
	const training = { loss: 'cross_entropy', optimizer, clipNorm: null, standardisation: new Map() };
	const { step: program, numbers, load } = await openStep({ architecture, batch, task, scale, ...training }, provider);
	const initial = architecture.initial(1, 0);
	const loaded = await load(initialState(program, initial), steps, { threads });
	const { inputs, target } = drawData(Object.fromEntries(modalities.map(({ name, shape }) => [name, [batch, ...shape]])), row);
	const filled = (shape, value) => tensor('float32', [steps, ...shape], new Float32Array(steps * batch).fill(value));
	const known = {
		...Object.fromEntries(Object.entries(inputs).map(([name, values]) => [valuesName(name), values])),
		...Object.fromEntries(
			modalities.flatMap(({ name }) => [weightName(name), presenceName(name)].map((port) => [port, filled([batch, 1], 1)])),
		),
		[TARGET]: target,
		[SAMPLE_WEIGHT]: filled([batch, 1], 1 / batch),
	};
	const fed = Object.fromEntries(program.ports.map(({ name }) => [name, known[name]]));
	const drawn = randomInputs(program);
	let step = 0;
	return {
		parameters: new Map(architecture.parameters.map(({ name, shape }) => [name, tensor('float32', [...shape], initial.get(name))])),
		...{ inputs, target },
		compiled: {},
		run: async () => {
			const random = drawn({ seed: 1, stream: 0, step }, steps);
			const scalars = scalarInputs(program, numbers, { step, length: steps }, () => rate);
			step += steps;
			const { loss } = await loaded.run({ ...fed, ...random, ...scalars });
			return loss.data;
		},
	};
}
