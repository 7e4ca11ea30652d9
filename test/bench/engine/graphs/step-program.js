// A graph of the bench as a training program, as the trainer builds it: forward and backward pass as a graph, and Adam in place.
import { differentiate } from '../../../../packages/autodiff/dist/index.js';
import {
	canonicalise,
	GraphBuilder,
	OPSET,
	optimised,
	poolBeforeRelu,
	winogradConvolutions,
} from '../../../../packages/onnx/dist/index.js';
import { optimizer as optimizerOf } from '../../../../packages/optim/dist/index.js';
import { layOut } from '../../../../packages/trainer/dist/model/parameter-layout.js';
import { gradientName, LOSS_SCALE } from '../../../../packages/trainer/dist/model/value-names.js';
import { scalarInputs } from '../../../../packages/trainer/dist/step/chunk-inputs.js';
import { loadInPlaceProgram } from '../../../../packages/trainer/dist/step/in-place-program.js';
import { initialState, stateVectors } from '../../../../packages/trainer/dist/step/step-state.js';
import { drawData } from '../start-file.js';
import { loadScan } from './scan-program.js';

const adam = optimizerOf({ name: 'adam', weightDecay: 0, momentum: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
/** The forward and backward pass with the gradients under the names by which the program knows them. */
function passesOf({ graph, gradients }) {
	const g = GraphBuilder.from({ ...graph, outputs: [] });
	for (const [name, gradient] of gradients) g.output(gradientName(name), gradient);
	g.output('loss', g.value('loss'));
	return optimised(g.build('step'), { fused: true });
}

/** Compiles and loads; `milliseconds` says what each part took. `options` go to differentiate. */
async function stepProgram({ graph, parameters, dims }, { threads, provider = 'cpu', ...options }) {
	const milliseconds = {};
	const inPlace = provider === 'cpu';
	let began = performance.now();
	const lap = (name) => {
		milliseconds[name] = performance.now() - began;
		began = performance.now();
	};
	const canonical = await canonicalise({ graph, opset: OPSET }, { dims, parameters });
	lap('canonicalise');
	const pooled = poolBeforeRelu(canonical);
	const differentiated = differentiate(inPlace ? winogradConvolutions(pooled) : pooled, {
		loss: 'scaled_loss',
		wrt: parameters,
		...options,
	});
	lap('differentiate');
	const layout = { trained: layOut(parameters.map((name) => ({ name, shape: graph.initializers.get(name).shape }))), running: [] };
	const data = canonical.inputs.filter(({ name }) => name !== 'lossScale' && !parameters.includes(name));
	const numbers = inPlace ? adam.inPlace : adam;
	const scalars = [{ name: LOSS_SCALE, shape: [] }, ...numbers.scalars.map((name) => ({ name, shape: inPlace ? [] : [1, 1] }))];
	const step = {
		...{ ...layout, state: stateVectors(layout, adam), passes: passesOf(differentiated) },
		ports: data.map(({ name, shape }) => ({ name, standardisation: null, shape })),
		...{ draws: [], optimizer: adam.inPlace, clipNorm: null, reports: ['loss'] },
		scalars,
	};
	const initial = initialState(step, new Map(parameters.map((name) => [name, graph.initializers.get(name).data])));
	const program = inPlace
		? await loadInPlaceProgram(step, initial, { threads })
		: await loadScan(differentiated, step, data, adam, initial, { threads, provider });
	lap('session');
	return {
		...{ program, step, numbers, data, milliseconds },
		counts: { forward: graph.nodes.length, canonical: canonical.nodes.length, step: step.passes.nodes.length },
	};
}

/** Everything about the training of a graph: what it starts from, and `run`, which trains a chunk and gives the loss of each step. */
export async function graphTraining(row, given, options) {
	const { program, step: compiled, numbers, data, milliseconds, counts } = await stepProgram(given, options);
	const shapes = Object.fromEntries(data.filter(({ name }) => name !== 'target').map(({ name, shape }) => [name, shape]));
	const { inputs, target } = drawData(shapes, row);
	const fed = { ...inputs, target };
	let step = 0;
	return {
		parameters: new Map(given.parameters.map((name) => [name, given.graph.initializers.get(name)])),
		...{ inputs, target },
		compiled: { milliseconds, counts },
		run: async () => {
			const scalars = scalarInputs(compiled, numbers, { step, length: row.chunk }, () => row.rate);
			step += row.chunk;
			const { loss } = await program.run({ ...fed, ...scalars });
			return loss.data;
		},
	};
}
