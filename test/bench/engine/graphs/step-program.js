// A graph of the bench as a training program: a Scan whose body is one step, forward, backward and Adam over flat groups of parameters, as the trainer builds it.
import { differentiate } from '../../../../packages/autodiff/dist/index.js';
import { canonicalise, encodeModel, GraphBuilder, OPSET } from '../../../../packages/onnx/dist/index.js';
import { optimizer as optimizerOf } from '../../../../packages/optim/dist/index.js';
import { loadProgram, tensor } from '../../../../packages/runtime/dist/index.js';
import { layOut, pack, unpack } from '../../../../packages/trainer/dist/model/parameter-layout.js';
import { drawData } from '../start-file.js';

const adam = optimizerOf({ name: 'adam', weightDecay: 0, momentum: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
const slots = ['', ...adam.slots.map((slot) => `/${slot}`)];
const scalars = ['lossScale', ...adam.scalars];
const shapeOfScalar = (name) => (name === 'lossScale' ? [] : [1, 1]);

function stepBody({ graph, gradients }, layout, data) {
	const g = new GraphBuilder('step/');
	const state = layout.map((group) => slots.map((slot) => g.input(`flat/${group.name}${slot}`, 'float32', [1, group.size])));
	for (const { name, dtype, shape } of data) g.input(name, dtype, shape);
	const perStep = Object.fromEntries(scalars.map((name) => [name, g.input(name, 'float32', shapeOfScalar(name))]));
	layout.forEach((group, i) => {
		unpack(g, group, state[i][0]);
	});
	g.append(graph);
	layout.forEach((group, i) => {
		const [parameter, m, v] = state[i];
		const gradient = pack(g, group, (name) => gradients.get(name));
		const next = adam.update(g, { parameter, gradient, slots: { m, v }, scalars: perStep });
		for (const [slot, value] of [
			['', next.parameter],
			['/m', next.slots.m],
			['/v', next.slots.v],
		])
			g.output(`${group.name}${slot}/next`, value);
	});
	g.output('step_loss', g.value('loss'));
	return g.build('step');
}

function scanOver(body, layout, data) {
	const g = new GraphBuilder('train/');
	const states = layout.flatMap((group) => slots.map((slot) => g.input(`state/${group.name}${slot}`, 'float32', [1, group.size])));
	const chunks = [...data, ...scalars.map((name) => ({ name, dtype: 'float32', shape: shapeOfScalar(name) }))].map(
		({ name, dtype, shape }) => g.input(`chunk/${name}`, dtype, ['K', ...shape]),
	);
	const finals = states.map((state) => ({ ...state, name: state.name.replace(/^state/, 'next') }));
	g.node('Scan', [...states, ...chunks], [...finals, { name: 'loss', dtype: 'float32', shape: ['K'] }], {
		body: { type: 'graph', value: body },
		num_scan_inputs: chunks.length,
	});
	for (const final of [...finals, g.value('loss')]) g.output(final.name, final);
	const state = Object.fromEntries(states.map(({ name }) => [name, name.replace(/^state/, 'next')]));
	return { bytes: encodeModel({ graph: g.build('train'), opset: OPSET }), state };
}

/** Compiles and loads; `milliseconds` says what each part took. `options` go to differentiate. */
async function stepProgram({ graph, parameters, dims }, { threads, ...options }) {
	const milliseconds = {};
	let began = performance.now();
	const lap = (name) => {
		milliseconds[name] = performance.now() - began;
		began = performance.now();
	};
	const canonical = await canonicalise({ graph, opset: OPSET }, { dims, parameters });
	lap('canonicalise');
	const differentiated = differentiate(canonical, { loss: 'scaled_loss', wrt: parameters, ...options });
	lap('differentiate');
	const layout = layOut(parameters.map((name) => ({ name, shape: graph.initializers.get(name).shape })));
	const data = canonical.inputs.filter(({ name }) => name !== 'lossScale' && !parameters.includes(name));
	const body = stepBody(differentiated, layout, data);
	const model = scanOver(body, layout, data);
	lap('encode');
	const state = {};
	for (const { name, size, members } of layout) {
		const flat = new Float32Array(size);
		let offset = 0;
		for (const member of members) {
			const { data: values } = graph.initializers.get(member.name);
			flat.set(values, offset);
			offset += values.length;
		}
		state[`state/${name}`] = tensor('float32', [1, size], flat);
		for (const slot of adam.slots) state[`state/${name}/${slot}`] = tensor('float32', [1, size], new Float32Array(size));
	}
	const program = await loadProgram(model, state, { threads });
	lap('session');
	return {
		program,
		data,
		milliseconds,
		counts: { forward: graph.nodes.length, canonical: canonical.nodes.length, step: body.nodes.length },
	};
}

/** Trains a chunk of steps behind the first `step`, and multiplies the slots of the optimizer as they are to be after it. */
async function trainChunk(program, inputs, { step, steps, rate }) {
	const places = Array.from({ length: steps }, (_, j) => adam.scalarsAt({ step: step + j + 1, inChunk: j + 1, learningRate: rate }));
	const ofSteps = scalars.map((name) => [
		`chunk/${name}`,
		tensor(
			'float32',
			[steps, ...shapeOfScalar(name)],
			places.map((place) => place[name]),
		),
	]);
	const { loss } = await program.run({ ...inputs, ...Object.fromEntries(ofSteps) });
	const factors = adam.afterChunk(steps);
	for (const [name, { data: values }] of Object.entries(program.state())) {
		const factor = factors[name.split('/').at(-1)] ?? 1;
		if (factor !== 1) for (let i = 0; i < values.length; i++) values[i] *= factor;
	}
	return loss.data;
}

/** Everything about the training of a graph: what it starts from, and `run`, which trains a chunk and gives the loss of each step. */
export async function graphTraining(row, given, options) {
	const { program, data, milliseconds, counts } = await stepProgram(given, options);
	const shapes = Object.fromEntries(data.filter(({ name }) => name !== 'target').map(({ name, shape }) => [name, shape]));
	const { inputs, target } = drawData(shapes, row);
	const fed = Object.fromEntries([...Object.entries(inputs), ['target', target]].map(([name, value]) => [`chunk/${name}`, value]));
	let step = 0;
	return {
		parameters: new Map(given.parameters.map((name) => [name, given.graph.initializers.get(name)])),
		...{ inputs, target },
		compiled: { milliseconds, counts },
		run: async () => {
			const losses = await trainChunk(program, fed, { step, steps: row.chunk, rate: row.rate });
			step += row.chunk;
			return losses;
		},
	};
}
