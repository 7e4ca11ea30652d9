// A graph of the bench as a training program for devices other than the CPU: a Scan whose body is one step, forward, backward and Adam over flat groups of parameters.
import { encodeModel, GraphBuilder, OPSET, optimised, withCudaForms } from '../../../../packages/onnx/dist/index.js';
import { loadProgram } from '../../../../packages/runtime/dist/index.js';
import { pack, unpack } from '../../../../packages/trainer/dist/model/parameter-layout.js';
import { chunkName, flatName, nextStateName, slotFactorName } from '../../../../packages/trainer/dist/model/value-names.js';
import { withZeros } from '../../../../packages/trainer/dist/step/step-state.js';

function stepBody({ graph, gradients }, { trained, state, scalars }, data, optimizer) {
	const g = new GraphBuilder('step/');
	for (const { input, size } of state) g.input(input, 'float32', [1, size]);
	for (const { name, dtype, shape } of data) g.input(name, dtype, shape);
	const values = Object.fromEntries(scalars.map(({ name, shape }) => [name, g.input(name, 'float32', shape)]));
	for (const group of trained) unpack(g, group, g.value(flatName(group.name)));
	g.append(graph);
	for (const group of trained) {
		const [parameter, ...slots] = state.filter(({ input }) => input === flatName(group.name) || input.startsWith(`${group.name}/`));
		const next = optimizer.update(g, {
			parameter: g.value(parameter.input),
			gradient: pack(g, group, (name) => gradients.get(name)),
			slots: Object.fromEntries(slots.map(({ slot, input }) => [slot, g.value(input)])),
			scalars: values,
		});
		g.output(parameter.output, next.parameter);
		for (const { slot, output } of slots) g.output(output, next.slots[slot]);
	}
	g.output('step_loss', g.value('loss'));
	return optimised(g.build('step'), { fused: false });
}

function scanOver(body, { state, scalars }, data) {
	const g = new GraphBuilder('train/');
	const before = state.map(({ name, size }) => g.input(name, 'float32', [1, size]));
	const chunks = [...data, ...scalars].map(({ name, dtype = 'float32', shape }) => g.input(chunkName(name), dtype, ['K', ...shape]));
	const factors = new Map(
		[...new Set(state.flatMap(({ slot }) => slot ?? []))].map((slot) => [slot, g.input(slotFactorName(slot), 'float32', [1, 1])]),
	);
	const after = before.map((value) => ({ ...value, name: `${value.name}/final` }));
	g.node('Scan', [...before, ...chunks], [...after, { name: 'loss', dtype: 'float32', shape: ['K'] }], {
		body: { type: 'graph', value: body },
		num_scan_inputs: chunks.length,
	});
	state.forEach(({ name, slot }, i) => g.output(nextStateName(name), slot === null ? after[i] : g.mul(after[i], factors.get(slot))));
	g.output('loss', g.value('loss'));
	return {
		bytes: encodeModel({ graph: g.build('train'), opset: OPSET }),
		state: Object.fromEntries(state.map(({ name }) => [name, nextStateName(name)])),
		inputs: Object.fromEntries([...data, ...scalars].map(({ name }) => [name, chunkName(name)])),
	};
}

/** Loads the step of a differentiated graph on a provider with what is not zero in its state; `step` has its groups, state vectors and scalars. */
export function loadScan(differentiated, step, data, optimizer, initial, { provider, ...options }) {
	const plain = stepBody(differentiated, step, data, optimizer);
	const body = provider === 'cuda' ? withCudaForms(plain) : plain;
	return loadProgram(scanOver(body, step, data), withZeros(step, initial), { ...options, provider });
}
