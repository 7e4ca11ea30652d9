// A graph of the bench as a training program: a Scan whose body is one step, forward, backward and Adam over flat groups of parameters, as the trainer builds it.
import { differentiate } from '../../../packages/autodiff/dist/index.js';
import { canonicalise, encodeModel, GraphBuilder, OPSET } from '../../../packages/onnx/dist/index.js';
import { optimizer as optimizerOf } from '../../../packages/optim/dist/index.js';
import { loadProgram, tensor } from '../../../packages/runtime/dist/index.js';
import { layOut, pack, unpack } from '../../../packages/trainer/dist/model/parameter-layout.js';

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
export async function stepProgram({ graph, parameters, dims }, options = {}) {
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
	const program = await loadProgram(model, state, { threads: 1 });
	lap('session');
	return {
		program,
		data,
		milliseconds,
		body,
		counts: { forward: graph.nodes.length, canonical: canonical.nodes.length, step: body.nodes.length },
	};
}

/** A function that trains `steps` steps in one run on random data and gives milliseconds a step. */
export function trainer({ program, data }, steps) {
	const inputs = {};
	for (const { name, shape } of data) {
		const size = shape.reduce((all, dim) => all * dim, steps);
		const values = new Float32Array(size);
		if (name === 'target') for (let i = 0; i < size; i += shape.at(-1)) values[i + Math.floor(Math.random() * shape.at(-1))] = 1;
		else for (let i = 0; i < size; i++) values[i] = 2 * Math.random() - 1;
		inputs[`chunk/${name}`] = tensor('float32', [steps, ...shape], values);
	}
	let step = 0;
	return async () => {
		const places = Array.from({ length: steps }, (_, j) => adam.scalarsAt({ step: ++step, inChunk: j + 1, learningRate: 1e-3 }));
		const started = performance.now();
		for (const name of scalars)
			inputs[`chunk/${name}`] = tensor(
				'float32',
				[steps, ...shapeOfScalar(name)],
				places.map((place) => place[name]),
			);
		const { loss } = await program.run(inputs);
		const factors = adam.afterChunk(steps);
		for (const [name, { data: values }] of Object.entries(program.state())) {
			const factor = factors[name.split('/').at(-1)] ?? 1;
			if (factor !== 1) for (let i = 0; i < values.length; i++) values[i] *= factor;
		}
		if (!loss.data.every(Number.isFinite)) throw new Error('the loss is not finite');
		return (performance.now() - started) / steps;
	};
}
