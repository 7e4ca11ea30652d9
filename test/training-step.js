// A training step as a graph, made of a model that `differentiate` wrote.
import { decodeModel, encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { optimizer } from '@steelyard/optim';
import { createSession, sizeOf, tensor } from '@steelyard/runtime';

/**
 * The gradients' model with its parameters and the optimizer's state as inputs and, as outputs `<name>/next`, their next values; the state to begin with.
 *
 * @param {Uint8Array} bytes
 * @param {readonly string[]} names the parameters
 * @param {import('@steelyard/optim').OptimizerOptions} options
 */
export function trainingStep(bytes, names, options) {
	const { graph } = decodeModel(bytes);
	const rule = optimizer(options);
	const initializers = new Map(graph.initializers);
	/** @type {Record<string, import('@steelyard/runtime').Tensor>} */
	const state = {};
	const inputs = [...graph.inputs];
	for (const name of names) {
		const value = /** @type {import('@steelyard/runtime').Tensor} */ (initializers.get(name));
		inputs.push({ name, dtype: value.dtype, shape: value.shape });
		initializers.delete(name);
		state[name] = value;
	}
	const g = GraphBuilder.from({ ...graph, inputs, initializers }, 'update/');
	const scale = g.input('lossScale', 'float32', [1, 1]);
	const scalars = Object.fromEntries(rule.scalars.map((name) => [name, g.input(name, 'float32', [1, 1])]));
	const output = (/** @type {string} */ wanted) =>
		/** @type {import('@steelyard/onnx').Value} */ (graph.outputs.find(({ name }) => name === wanted));
	g.output('loss', output('loss'));
	for (const name of names) {
		const parameter = /** @type {import('@steelyard/onnx').Value} */ (inputs.find((input) => input.name === name));
		const flat = [1, sizeOf(/** @type {number[]} */ (parameter.shape))];
		const slots = Object.fromEntries(rule.slots.map((slot) => [slot, g.input(`${name}/${slot}`, 'float32', flat)]));
		const scaled = g.mul(g.reshape({ ...output(`grad/${name}`), shape: parameter.shape }, flat), scale);
		const next = rule.update(g, { parameter: g.reshape(parameter, flat), gradient: scaled, slots, scalars });
		g.output(`${name}/next`, g.reshape(next.parameter, parameter.shape));
		for (const slot of rule.slots) {
			g.output(`${name}/${slot}/next`, /** @type {import('@steelyard/onnx').Value} */ (next.slots[slot]));
			state[`${name}/${slot}`] = tensor('float32', flat, new Float32Array(flat[1] ?? 0));
		}
	}
	return { bytes: encodeModel({ graph: g.build('step'), opset: OPSET }), rule, state };
}

/**
 * The loss before each step.
 *
 * @param {ReturnType<typeof trainingStep>} step
 * @param {readonly Record<string, import('@steelyard/runtime').Tensor>[]} batches one for each step
 * @param {number} learningRate
 */
export async function lossCurve({ bytes, rule, state }, batches, learningRate) {
	const session = await createSession(bytes);
	const taken = new Set(session.inputs.map(({ name }) => name));
	const losses = [];
	for (const [index, batch] of batches.entries()) {
		const values = rule.scalarsAt({ step: index + 1, inChunk: index + 1, learningRate });
		const scalars = ['lossScale', ...rule.scalars].map((name) => [name, tensor('float32', [1, 1], [values[name] ?? 0])]);
		const feeds = Object.entries({ ...batch, ...state, ...Object.fromEntries(scalars) }).filter(([name]) => taken.has(name));
		const outputs = await session.run(Object.fromEntries(feeds));
		losses.push(Number(outputs.loss?.data[0]));
		state = Object.fromEntries(Object.keys(state).map((name) => [name, outputs[`${name}/next`]]));
	}
	await session.release();
	return losses;
}
