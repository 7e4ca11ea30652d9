import { encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import type { ProgramModel } from '@steelyard/runtime';
import { POOL_ROWS, POOL_WIDTH } from '../model/dropout-pool.js';
import { portInput } from '../model/port.js';
import { chunkName, finalName, nextStateName, POOL, slotFactorName, stackedName } from '../model/value-names.js';
import { type Step, slotsOf } from './step.js';

/**
 * A training step that is repeated K times within one run of the runtime, by Scan; K is a size of its inputs. A run takes `[K, …]` of every port, draw and scalar under
 * the step's own names (standardisation is applied to all K batches at once), `POOL` where the step draws, and `[1, 1]` per slot of the optimizer under
 * `slotFactorName`, by which the slot is multiplied after the K steps. It gives `[K]` of every report. State goes by the names of the step's vectors.
 */
export function scanProgram({ graph, state, batch, ports, draws, scalars, reports }: Step): ProgramModel {
	const g = new GraphBuilder('train/');
	const before = state.map(({ name, size }) => g.input(name, 'float32', [1, size]));
	// the pool is no input of the step: its graph reads it from here
	if (draws.length > 0) g.input(POOL, 'float32', [POOL_ROWS, POOL_WIDTH]);
	// the names of a step's inputs belong to its graph, which stands inside this one: out here the same inputs need others
	const scanned = [
		...ports.map((port) => portInput(g, { ...port, name: chunkName(port.name) }, ['K', batch])),
		...draws.map(({ name, rows }) => g.input(chunkName(name), 'int64', ['K', rows])),
		...scalars.map(({ name, shape }) => g.input(chunkName(name), 'float32', ['K', ...shape])),
	];
	const factors = new Map(slotsOf(state).map((slot) => [slot, g.input(slotFactorName(slot), 'float32', [1, 1])]));

	const after = before.map((value) => ({ ...value, name: finalName(value.name) }));
	const stacked = reports.map((report): Value => ({ name: stackedName(report), dtype: 'float32', shape: ['K'] }));
	g.node('Scan', [...before, ...scanned], [...after, ...stacked], {
		body: { type: 'graph', value: graph },
		num_scan_inputs: scanned.length,
	});
	state.forEach(({ name, slot }, i) => {
		const value = after[i] as Value;
		g.output(nextStateName(name), slot === null ? value : g.mul(value, factors.get(slot) as Value));
	});
	reports.forEach((report, i) => g.output(report, stacked[i] as Value));
	return {
		bytes: encodeModel({ graph: g.build('train'), opset: OPSET }),
		state: Object.fromEntries(state.map(({ name }) => [name, nextStateName(name)])),
		inputs: Object.fromEntries([...ports, ...draws, ...scalars].map(({ name }) => [name, chunkName(name)])),
	};
}
