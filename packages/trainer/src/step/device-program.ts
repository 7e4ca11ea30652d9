import { ProblemError } from '@steelyard/contracts';
import { encodeModel, forWebgpu, type Graph, GraphBuilder, GraphError, narrow, OPSET, renamed, withoutKernel } from '@steelyard/onnx';
import {
	loadOnDevice,
	type Program,
	type ProgramModel,
	RuntimeError,
	type SessionOptions,
	type State,
	type Tensor,
	tensor,
} from '@steelyard/runtime';
import { POOL_ROWS, POOL_WIDTH } from '../model/dropout-pool.js';
import { portInput } from '../model/port.js';
import { chunkName, historyName, LOSS_SCALE, nextName, nextStateName, POOL, reportName, slotFactorName } from '../model/value-names.js';
import { type Step, slotsOf } from './step.js';

/**
 * One step over the state, whose values go by the names of the step's vectors. What it reports is put behind the last `most` values of it, which are state too: so
 * the host waits for the device once a chunk, and not once a step.
 */
function stepGraph({ graph, state, batch, ports, draws, scalars, reports }: Step, most: number): Graph {
	const g = new GraphBuilder('device/');
	const names = new Map<string, string>();
	for (const { name, size, input } of state) names.set(input, g.input(name, 'float32', [1, size]).name);
	for (const port of ports) names.set(port.name, portInput(g, { ...port, name: chunkName(port.name) }, [batch]).name);
	for (const { name, rows } of draws) g.input(name, 'int64', [rows]);
	if (draws.length > 0) g.input(POOL, 'float32', [POOL_ROWS, POOL_WIDTH]);
	for (const { name, shape } of scalars) g.input(name, 'float32', shape);
	const histories = reports.map((report) => g.input(historyName(report), 'float32', [most]));
	g.append(renamed(graph, (name) => names.get(name) ?? name));
	for (const { name, output } of state) g.output(nextStateName(name), g.value(output));
	reports.forEach((report, i) => {
		const last = g.reshape(g.value(reportName(report)), [1]);
		const before = g.op('Slice', [histories[i] as (typeof histories)[number], g.ints([1]), g.ints([most])], {}, { shape: [most - 1] });
		g.output(nextName(historyName(report)), most === 1 ? last : g.concat([before, last], 0));
	});
	return forWebgpu(g.build('step'));
}

/** Multiplies the slots of the optimizer by their factors. */
function settlingGraph({ state }: Step): Graph {
	const g = new GraphBuilder('settle/');
	const factors = new Map(slotsOf(state).map((slot) => [slot, g.input(slotFactorName(slot), 'float32', [1, 1])]));
	for (const { name, size, slot } of state) {
		const factor = factors.get(slot ?? '');
		if (factor !== undefined) g.output(nextStateName(name), g.mul(g.input(name, 'float32', [1, size]), factor));
	}
	return g.build('settle');
}

/** Gives the pool back, which so comes to the device and stays there. */
function poolGraph(): Graph {
	const g = new GraphBuilder('pool/');
	g.output(nextName(POOL), g.op('Identity', [g.input(POOL, 'float32', [POOL_ROWS, POOL_WIDTH])]));
	return g.build('pool');
}

const bytesOf = (graph: Graph): Uint8Array => encodeModel({ graph, opset: OPSET });

/** The error for a step that WebGPU cannot run wholly. */
export const refused = (reason: string): ProblemError =>
	new ProblemError('device_unavailable', `WebGPU cannot train this model: ${reason}; the device cpu can`, 'device');

/** Throws ProblemError `device_unavailable` in the place of the error of a graph of which WebGPU has no kernel, naming the nodes. */
async function explained<T>(graph: () => Graph, load: (graph: Graph) => Promise<T>): Promise<T> {
	let written: Graph | null = null;
	try {
		written = graph();
		return await load(written);
	} catch (error) {
		if (error instanceof GraphError && error.code === 'unsupported_operator') throw refused(error.message);
		if (!(error instanceof RuntimeError) || error.code !== 'no_kernel' || written === null) throw error;
		const nodes = await withoutKernel(written);
		const named = nodes.map(({ op, name }) => `${op} (node "${name}")`).join(', ');
		throw refused(named === '' ? error.message : `it has no kernel of ${named}`);
	}
}

/**
 * Loads a step as a program on WebGPU, whose state stays on the device: a run is as many runs of the step as its inputs have steps, `most` at most. It takes and gives what
 * the program that repeats the step by Scan does, but equal to it only within rounding. Throws RuntimeError as createSession does, and ProblemError
 * `device_unavailable` where WebGPU has no kernel of a node of the step.
 */
export async function loadDeviceProgram(step: Step, most: number, initial: State, options: SessionOptions = {}): Promise<Program> {
	const { state, ports, draws, scalars, reports } = step;
	const slots = slotsOf(state);
	const histories = Object.fromEntries(reports.map((report) => [historyName(report), tensor('float32', [most], new Float32Array(most))]));
	const pool = draws.length === 0 ? {} : { [POOL]: tensor('float32', [POOL_ROWS, POOL_WIDTH], new Float32Array(POOL_ROWS * POOL_WIDTH)) };
	const nextOf = (named: readonly { readonly name: string }[]) => Object.fromEntries(named.map(({ name }) => [name, nextStateName(name)]));
	const device = await explained(
		() => stepGraph(step, most),
		(graph) => {
			const models: Record<'step' | 'settle' | 'pool', ProgramModel> = {
				step: {
					bytes: bytesOf(graph),
					state: { ...nextOf(state), ...Object.fromEntries(reports.map((report) => [historyName(report), nextName(historyName(report))])) },
					inputs: Object.fromEntries(ports.map(({ name }) => [name, chunkName(name)])),
					takes: Object.keys(pool),
				},
				settle: { bytes: bytesOf(settlingGraph(step)), state: nextOf(state.filter(({ slot }) => slot !== null)) },
				pool: { bytes: bytesOf(poolGraph()), state: { [POOL]: nextName(POOL) } },
			};
			const { step: one, settle, pool: kept } = models;
			const used = { step: one, ...(slots.length > 0 ? { settle } : {}), ...(draws.length > 0 ? { pool: kept } : {}) } as typeof models;
			return loadOnDevice(used, { ...initial, ...histories, ...pool }, { ...options, wholly: true });
		},
	);

	let drawn: Tensor | null = null;
	const own = state.map(({ name }) => name);
	/** The inputs of step `at` of a run; those that no step reads are not there. */
	const partOf = (inputs: Readonly<Record<string, Tensor>>, at: number): Record<string, Tensor> =>
		Object.fromEntries(
			[...ports, ...draws, ...scalars].map(({ name }) => {
				const { dtype, shape, data } = inputs[name] as Tensor;
				const size = data.length / (shape[0] as number);
				return [name, narrow({ dtype, shape: shape.slice(1), data: data.subarray(at * size, (at + 1) * size) })];
			}),
		);
	return {
		async run(inputs) {
			const steps = (inputs[LOSS_SCALE] as Tensor).shape[0] as number;
			if (steps > most) throw new RangeError(`a run has at most ${most} steps, found ${steps}`);
			const needed = inputs[POOL];
			if (needed !== undefined && needed !== drawn) {
				device.setState({ [POOL]: needed });
				await device.run('pool', {});
				drawn = needed;
			}
			try {
				for (let at = 0; at < steps; at++) await device.run('step', partOf(inputs, at));
			} catch (error) {
				// whether a GPU computes in float16 shows when it first has to
				if (error instanceof RuntimeError && /requires f16/.test(error.message)) throw refused('this GPU has no float16');
				throw error;
			}
			const factors = slots.map((slot): [string, Tensor] => [slotFactorName(slot), inputs[slotFactorName(slot)] as Tensor]);
			if (factors.some(([, { data }]) => data[0] !== 1)) await device.run('settle', Object.fromEntries(factors));
			const found = await device.state(reports.map(historyName));
			return Object.fromEntries(
				reports.map((report) => {
					const all = (found[historyName(report)] as Tensor).data as Float32Array;
					return [report, tensor('float32', [steps], all.subarray(most - steps))];
				}),
			);
		},
		state: () => device.state(own),
		setState: (next) => device.setState(next),
		dispose: () => device.dispose(),
	};
}
