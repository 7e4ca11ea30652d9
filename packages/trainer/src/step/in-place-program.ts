import { encodeModel, OPSET } from '@steelyard/onnx';
import { kernelsOver } from '@steelyard/optim';
import {
	loadBoundSession,
	type Program,
	placeTensors,
	type SessionOptions,
	type State,
	sizeOf,
	type Tensor,
	tensor,
} from '@steelyard/runtime';
import type { ParameterGroup } from '../model/parameter-layout.js';
import { gradientName, LOSS_SCALE, POOL, parameterStateName, slotStateName, statisticName } from '../model/value-names.js';
import { rawName } from './build-in-place-step.js';
import { isPlanned } from './is-planned.js';
import { type InPlaceStep, slotsOf } from './step.js';

const offsetOf = ({ data }: Tensor): number => data.byteOffset;

/** The tensors of a group's members, one behind another in its vector, each under `nameOf` it. */
function membersIn(group: ParameterGroup, vector: Tensor, nameOf: (member: string) => string): Array<[string, Tensor]> {
	let start = 0;
	return group.members.map(({ name, shape }) => {
		const end = start + sizeOf(shape);
		const member: Tensor = { dtype: 'float32', shape, data: vector.data.subarray(start, end) };
		start = end;
		return [nameOf(name), member];
	});
}

/** The numbers of step `k` of a chunk, put where the step reads them. */
function copyOf(from: Tensor, k: number, to: Tensor): void {
	const size = to.data.length;
	(to.data as Float32Array).set((from.data as Float32Array).subarray(k * size, (k + 1) * size));
}

/**
 * Loads a step whose state, gradients and inputs lie in one memory, which ONNX Runtime reads and writes in place: a chunk is a loop over its steps, nothing is copied
 * but the batch, and the optimizer's kernel changes the state where it lies. The arrays that `state` gives are those that the next run changes. Throws
 * RuntimeError as loadBoundSession does, and RangeError where everything together takes more than 4 GiB.
 */
export async function loadInPlaceProgram(step: InPlaceStep, initial: State, options: SessionOptions = {}): Promise<Program> {
	const { passes, ports, draws, scalars, reports, trained, running, optimizer, clipNorm } = step;
	const taken = new Set(passes.inputs.map(({ name }) => name));
	const slots = slotsOf(step.state);
	const takesScale = taken.has(LOSS_SCALE);
	const vector = (size: number) => ({ dtype: 'float32' as const, shape: [1, size] });
	/** What a run takes of each step, by the name that `run` gives it and the name of the input. */
	const ofSteps = [...ports.map((port) => [port.name, rawName(port)] as const), ...draws.map(({ name }) => [name, name] as const)];
	const drawn = draws.length > 0 ? [POOL] : [];
	const fixed = passes.inputs.filter(({ name }) => [LOSS_SCALE, ...drawn, ...ofSteps.map(([, input]) => input)].includes(name));
	const { memory, tensors } = placeTensors({
		...Object.fromEntries(step.state.map(({ name, size }) => [name, vector(size)])),
		...Object.fromEntries([...trained, ...running].map(({ name, size }) => [gradientName(name), vector(size)])),
		...Object.fromEntries(fixed.map(({ name, dtype, shape }) => [name, { dtype, shape: shape as readonly number[] }])),
		loss: { dtype: 'float32', shape: [] },
	});
	const at = (name: string): Tensor => tensors[name] as Tensor;
	const state = Object.fromEntries(step.state.map(({ name }) => [name, at(name)]));
	const setState = (next: State): void => {
		for (const [name, { shape, data }] of Object.entries(next)) {
			const { shape: expected, data: own } = state[name] ?? { shape: null };
			if (own === undefined) throw new RangeError(`"${name}" is not state of this program; its state is ${Object.keys(state).join(', ')}`);
			if (own.length !== data.length) throw new RangeError(`state "${name}" has shape [${expected}], found [${shape}]`);
			(own as Float32Array).set(data as Float32Array);
		}
	};
	setState(initial);

	const parametersOf = (group: ParameterGroup) => membersIn(group, at(parameterStateName(group.name)), (name) => name);
	const inputs = [...[...trained, ...running].flatMap(parametersOf), ...fixed.map(({ name }): [string, Tensor] => [name, at(name)])];
	const session = await loadBoundSession(
		encodeModel({ graph: passes, opset: OPSET }),
		{
			inputs: Object.fromEntries(inputs.filter(([name]) => taken.has(name))),
			outputs: Object.fromEntries([
				...trained.flatMap((group) => membersIn(group, at(gradientName(group.name)), gradientName)),
				...running.flatMap((group) => membersIn(group, at(gradientName(group.name)), statisticName)),
				['loss', at('loss')],
			]),
		},
		{ ...options, planned: isPlanned(passes) },
	);

	const kernels = kernelsOver(memory);
	const vectors = trained.map(({ name, size }) => ({
		parameter: offsetOf(at(parameterStateName(name))),
		gradient: offsetOf(at(gradientName(name))),
		slots: Object.fromEntries(slots.map((slot) => [slot, offsetOf(at(slotStateName(name, slot)))])),
		size,
	}));
	const normOfGradients = (): number =>
		Math.sqrt(vectors.reduce((sum, { gradient, size }) => sum + kernels.sumOfSquares(gradient, size), 0));
	const isGuarded = reports.includes('finite');

	return {
		async run(inputs) {
			const given = (name: string): Tensor => inputs[name] as Tensor;
			const steps = given(LOSS_SCALE).shape[0] as number;
			const found = new Map(reports.map((report) => [report, new Float32Array(steps)]));
			const tell = (report: string, k: number, value: number): unknown => found.get(report)?.fill(value, k, k + 1);
			for (const name of drawn) (at(name).data as Float32Array).set(given(name).data as Float32Array);
			for (let k = 0; k < steps; k++) {
				const numbers = Object.fromEntries(scalars.map(({ name }) => [name, given(name).data[k] as number]));
				const lossScale = numbers[LOSS_SCALE] as number;
				for (const [name, input] of ofSteps) copyOf(given(name), k, at(input));
				if (takesScale) at(LOSS_SCALE).data[0] = lossScale;
				session.run();
				tell('loss', k, at('loss').data[0] as number);
				const norm = clipNorm !== null || isGuarded ? normOfGradients() / lossScale : 0;
				tell('grad_norm', k, norm);
				if (isGuarded && !Number.isFinite(norm)) break; // the steps behind it are for nothing: the loss needs another scale
				tell('finite', k, 1);
				const clip = clipNorm === null ? 1 : Math.min(1, clipNorm / (norm + 1e-6));
				for (const each of vectors) optimizer.update(kernels, each, clip / lossScale, numbers);
				for (const { name } of running) copyOf(at(gradientName(name)), 0, at(parameterStateName(name)));
			}
			return Object.fromEntries([...found].map(([report, values]) => [report, tensor('float32', [steps], values)]));
		},
		state: async () => state,
		setState,
		async dispose() {
			session.release();
		},
	};
}
