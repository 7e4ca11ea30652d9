import type { TaskProfile } from '@steelyard/contracts';
import { type OptimizerOptions, optimizer as optimizerOf } from '@steelyard/optim';
import { loadProgram, type Program, sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import type { Architecture } from '../src/model/architecture.js';
import { parametersByName } from '../src/model/parameter-layout.js';
import { presenceName, SAMPLE_WEIGHT, weightName } from '../src/model/value-names.js';
import { buildInPlaceStep } from '../src/step/build-in-place-step.js';
import { buildStep } from '../src/step/build-step.js';
import { scalarInputs } from '../src/step/chunk-inputs.js';
import { loadDeviceProgram } from '../src/step/device-program.js';
import { HALTED } from '../src/step/guarded.js';
import { loadInPlaceProgram } from '../src/step/in-place-program.js';
import type { Loss } from '../src/step/loss.js';
import { scanProgram } from '../src/step/scan-program.js';
import type { InPlaceStep, Step } from '../src/step/step.js';
import type { StepOptions } from '../src/step/step-inputs.js';
import { initialState, parametersIn, withZeros } from '../src/step/step-state.js';

const taskOf = (loss: Loss, outputs: number): TaskProfile => ({
	type:
		loss === 'cross_entropy' ? 'multiclass' : loss === 'binary_cross_entropy' ? (outputs === 1 ? 'binary' : 'multilabel') : 'regression',
	classes: [],
	outputs,
});

const ADAM: OptimizerOptions = { name: 'adam', weightDecay: 0, momentum: 0.9, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
export const optimizerWith = (options: Partial<OptimizerOptions>) => optimizerOf({ ...ADAM, ...options });

export type Wanted = Pick<StepOptions, 'architecture' | 'batch' | 'loss'> &
	Partial<
		Pick<
			StepOptions,
			'clipNorm' | 'classWeights' | 'recompute' | 'standardisation' | 'modulation' | 'precision' | 'halfPrecision' | 'fixedSizes'
		>
	> & {
		optimizer?: Partial<OptimizerOptions>;
	};

const optionsOf = ({ optimizer = {}, ...wanted }: Wanted): StepOptions => ({
	clipNorm: null,
	standardisation: new Map(),
	task: taskOf(wanted.loss, wanted.architecture.outputs),
	scale: { mean: 0, deviation: 1 },
	optimizer: optimizerWith(optimizer),
	...wanted,
});

/** The training step of an architecture; Adam without decay, clipping or standardisation unless given. */
export const stepOf = (wanted: Wanted): Promise<Step> => buildStep(optionsOf(wanted));

/** The same step, in place, in the operators of the CPU. */
export const inPlaceStepOf = (wanted: Wanted): Promise<InPlaceStep> =>
	buildInPlaceStep({ ...optionsOf(wanted), fused: true, winograd: true });

/** That step and its program, for runs of `chunk` steps. */
async function loaded(oracle: Oracle, chunk: number, by: Repetition): Promise<{ step: Step | InPlaceStep; program: Program }> {
	if (by === 'webgpu') {
		const step = await stepOf({ ...oracle, fixedSizes: true });
		return { step, program: await loadDeviceProgram(step, chunk, withZeros(step, initialState(step, oracle.initial))) };
	}
	if (by === 'in place') {
		const step = await buildInPlaceStep(optionsOf(oracle));
		return { step, program: await loadInPlaceProgram(step, initialState(step, oracle.initial)) };
	}
	const step = await stepOf(oracle);
	return { step, program: await loadProgram(scanProgram(step), withZeros(step, initialState(step, oracle.initial))) };
}

/** Numbers of row `row`, of as many as its shape has. */
export type RowOf = (row: number) => ArrayLike<number>;

/** What an oracle trained: rows by the name of an input of the step, taken in turn. */
export type Oracle = Wanted & {
	steps: number;
	learningRate: number;
	/** Rows of the oracle's data, which batches take one after another, from the beginning again after the last. */
	rows: number;
	inputs: Readonly<Record<string, RowOf>>;
	initial: ReadonlyMap<string, ArrayLike<number>>;
};

/** How the steps of a chunk are repeated: by Scan, in the graph, or one by one on state in place, or on the device. */
export type Repetition = 'scan' | 'in place' | 'webgpu';

/** Trains as the oracle did, `chunk` steps per run: the reports of every step and the parameters at the end. */
export async function trainAs(
	oracle: Oracle,
	chunk: number,
	by: Repetition = 'scan',
): Promise<{ losses: number[]; norms: number[]; parameters: Map<string, Tensor> }> {
	const { batch, steps, rows, inputs, learningRate, optimizer = {} } = oracle;
	const rule = optimizerWith(optimizer);
	const { step, program } = await loaded(oracle, chunk, by);
	const [losses, norms]: [number[], number[]] = [[], []];
	/** Rows count alike, and a weight of 0 stands for a missing modality, where the oracle does not say otherwise. */
	const assumed: Readonly<Record<string, RowOf>> = {
		[SAMPLE_WEIGHT]: () => [1 / batch],
		...Object.fromEntries(
			oracle.architecture.modalities.map(({ name }): [string, RowOf] => [
				presenceName(name),
				(row) => [inputs[weightName(name)]?.(row)[0] === 0 ? 0 : 1],
			]),
		),
	};
	for (let first = 0; first < steps; first += chunk) {
		const chosen = Array.from({ length: chunk * batch }, (_, i) => (first * batch + i) % rows);
		const filled = step.ports.map(({ name, dtype, shape }): [string, Tensor] => {
			const of = inputs[name] ?? assumed[name];
			if (of === undefined) throw new Error(`the oracle has no ${name}`);
			const numbers = new Float32Array(chosen.length * sizeOf(shape));
			chosen.forEach((row, i) => numbers.set(of(row), i * sizeOf(shape)));
			return [name, tensor(dtype, [chunk, batch, ...shape], numbers)];
		});
		const scalars = scalarInputs(step, by === 'in place' ? rule.inPlace : rule, { step: first, length: chunk }, () => learningRate);
		if (oracle.precision === 'float16') program.setState({ [HALTED]: tensor('float32', [1, 1], [0]) });
		const found = await program.run({ ...Object.fromEntries(filled), ...scalars });
		losses.push(...(found['loss']!.data as Float32Array));
		if (found['grad_norm'] !== undefined) norms.push(...(found['grad_norm'].data as Float32Array));
	}
	const parameters = parametersByName([...step.trained, ...step.running], parametersIn(step, await program.state()));
	await program.dispose();
	return { losses, norms, parameters };
}

/** Row `row` of numbers that lie row after row, `width` each; `at` and `of` name a column of wider rows. */
export const rowsIn =
	(values: ArrayLike<number>, width: number, { at = 0, of = width }: { at?: number; of?: number } = {}): RowOf =>
	(row) =>
		Array.prototype.slice.call(values, row * of + at, row * of + at + width) as number[];

/** The parameters of an oracle by name. */
export const initialOf = (record: Readonly<Record<string, number[]>>): Map<string, ArrayLike<number>> => new Map(Object.entries(record));

/** Where the architecture itself begins. */
export const ownInitial = (architecture: Architecture): ReadonlyMap<string, ArrayLike<number>> => architecture.initial(1, 0);

/** The largest relative error of numbers; those that are small against `floor` are held to it. */
export const largestError = (ours: ArrayLike<number>, theirs: readonly number[], floor = 0.1): number =>
	theirs.reduce((worst, value, i) => Math.max(worst, Math.abs(ours[i]! - value) / (Math.abs(value) + floor)), 0);
