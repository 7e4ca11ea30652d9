import { encodeModel, OPSET } from '@steelyard/onnx';
import { createSession, type Program, type SessionOptions, type State, type Tensor, tensor } from '@steelyard/runtime';
import {
	CLIP,
	flatName,
	gradientName,
	LOSS_SCALE,
	nextName,
	POOL,
	parameterStateName,
	slotFactorName,
	slotStateName,
} from '../model/value-names.js';
import { groupPort, rawName } from './build-split-step.js';
import { type SplitStep, slotsOf } from './step.js';

/** Numbers of a vector that one run of the update takes: few enough that what is made of them stays in the caches, and many enough that a run is worth its call. */
const PART = 2 ** 16;

const floats = (size: number): Float32Array => new Float32Array(size);
const part = (data: Float32Array, start: number, end: number): Tensor => ({
	dtype: 'float32',
	shape: [1, end - start],
	data: data.subarray(start, end),
});

/**
 * Loads a split step as a program whose runs are single steps, K = 1. It holds state and gradients once: the arrays that `state` gives are those that the next run
 * changes, and those that it is given become its own. Throws RuntimeError as createSession does.
 */
export async function loadSplitProgram(step: SplitStep, initial: State, options: SessionOptions = {}): Promise<Program> {
	const { ports, draws, scalars, reports, trained, running } = step;
	const slots = slotsOf(step.state);
	const passes = await createSession(encodeModel({ graph: step.passes, opset: OPSET }), { ...options, planned: false });
	const update = await createSession(encodeModel({ graph: step.update, opset: OPSET }), options);
	let state: Record<string, Tensor> = { ...initial };

	const groups = [...trained, ...running].map((group) => ({ ...group, ...groupPort(group), stored: parameterStateName(group.name) }));
	const gradients = Object.fromEntries(
		trained.map((group): [string, Tensor] => [gradientName(group.name), tensor('float32', groupPort(group).shape, floats(group.size))]),
	);
	const others = step.passes.outputs.flatMap(({ name }): Array<[string, null]> => (Object.hasOwn(gradients, name) ? [] : [[name, null]]));
	const fetches = { ...Object.fromEntries(others), ...gradients };

	/**
	 * Changes the vectors of a group in place, part by part. The update reads each vector before it writes it: a slot is written by a product with its factor, and a
	 * parameter by a Gemm that begins as a copy of it.
	 */
	async function move(group: string, size: number, numbers: Readonly<Record<string, Tensor>>): Promise<void> {
		const vectors: Array<[string, Float32Array]> = [
			['parameter', state[parameterStateName(group)]?.data as Float32Array],
			...slots.map((slot): [string, Float32Array] => [slot, state[slotStateName(group, slot)]?.data as Float32Array]),
		];
		const gradient = gradients[gradientName(group)]?.data as Float32Array;
		for (let start = 0; start < size; start += PART) {
			const end = Math.min(size, start + PART);
			const taken = vectors.map(([name, data]): [string, Tensor] => [name, part(data, start, end)]);
			const next = Object.fromEntries(taken.map(([name, value]) => [nextName(name), value]));
			await update.run({ ...Object.fromEntries(taken), gradient: part(gradient, start, end), ...numbers }, next);
		}
	}

	return {
		async run(inputs) {
			const ofStep = (name: string): Tensor => {
				const { shape, ...value } = inputs[name] as Tensor;
				return { ...value, shape: shape.slice(1) };
			};
			const feeds = Object.fromEntries([
				...groups.map(({ input, shape, stored }) => [input, { ...(state[stored] as Tensor), shape }]),
				...ports.map((one) => [rawName(one), ofStep(one.name)]),
				...draws.map(({ name }) => [name, ofStep(name)]),
				[LOSS_SCALE, ofStep(LOSS_SCALE)],
				...(draws.length > 0 ? [[POOL, inputs[POOL]]] : []),
			]);
			const found = await passes.run(feeds, fetches);
			const numbers = Object.fromEntries([
				...scalars.filter(({ name }) => name !== LOSS_SCALE).map(({ name }) => [name, ofStep(name)]),
				...slots.map((slot) => [slotFactorName(slot), inputs[slotFactorName(slot)]]),
				...(found[CLIP] === undefined ? [] : [[CLIP, found[CLIP]]]),
			]);
			for (const { name, size } of trained) await move(name, size, numbers);
			for (const { name } of running) state[parameterStateName(name)] = found[nextName(flatName(name))] as Tensor;
			return Object.fromEntries(reports.map((report) => [report, { ...(found[report] as Tensor), shape: [1] }]));
		},
		state: () => state,
		setState: (next) => {
			state = { ...state, ...next };
		},
		async dispose() {
			await passes.release();
			await update.release();
		},
	};
}
