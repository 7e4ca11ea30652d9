import type { TaskProfile } from '@steelyard/contracts';
import type { CanonicalArray, Standardisation } from '@steelyard/dataset';
import type { ModalityShape } from '@steelyard/family';
import { type Graph, type GraphBuilder, readsOf, type Shape, type Value } from '@steelyard/onnx';
import { arrayTypeOf, type DType, sizeOf, type Tensor, type TensorData, tensor } from '@steelyard/runtime';
import { type AuxiliaryOutput, writeTargets } from './auxiliary-output.js';
import { type Examples, fillMask, fillTargets, labelsOf, type MaskKind, type TargetScale } from './examples.js';
import { standardised } from './standardise.js';

/** The examples that one run of a program is filled with, and the weight of each modality for each of them, `[rows, M]`; no weights where no port takes any. */
export type Batch = Examples & { readonly weights: Float32Array };

/**
 * A batch of training. `present` `[rows, M]` is 1 where the row has the modality and the step does not leave it out, else 0; `sampleWeights` `[rows]` says how much each
 * row counts in the loss: the rows that only fill up a batch count 0.
 */
export type TrainingBatch = Batch & { readonly present: Float32Array; readonly sampleWeights: Float32Array };

/** Writes what a port takes for every row of the batch, row after row, into `out`, an array of `dtype` that holds zeros before. */
export type Fill<B extends Batch = Batch> = { readonly dtype: DType; readonly write: (batch: B, out: TensorData) => void };

/** A fill of float32 numbers. */
const floats = <B extends Batch>(write: (batch: B, out: Float32Array) => void): Fill<B> => ({
	dtype: 'float32',
	write: (batch, out) => write(batch, out as Float32Array),
});

/** An input of a program that is filled from examples. */
export type Port<B extends Batch = Batch> = {
	/** Name of the input. */
	readonly name: string;
	/** Of the input; what the fill writes is converted to it. */
	readonly dtype: DType;
	/** Of one row: the input is `[rows, …shape]`. */
	readonly shape: readonly number[];
	/** What the program does to the raw values before the model sees them; null for nothing. */
	readonly standardisation: Standardisation | null;
	readonly fill: Fill<B>;
};

/** A port of the type of its fill, whose values the program takes as they are unless a standardisation is given. */
export const port = <B extends Batch>(
	name: string,
	shape: readonly number[],
	fill: Fill<B>,
	standardisation: Standardisation | null = null,
): Port<B> => ({ name, dtype: fill.dtype, shape, standardisation, fill });

/** Adds the input of a port to a program; `leading` are the axes before those of a row. The value is standardised, as float32 then, as the port says. */
export const portInput = (g: GraphBuilder, { name, dtype, shape, standardisation }: Omit<Port, 'fill'>, leading: Shape): Value =>
	standardised(g, g.input(name, dtype, [...leading, ...shape]), standardisation);

/** The raw values of a modality, in the type that the dataset has them in; zeros where a row lacks it. */
export const fillValues = ({ name, dtype = 'float32' }: ModalityShape): Fill => ({
	dtype,
	write: ({ split, rows }, out) => split.gather(name, rows, out as CanonicalArray),
});

/** 0 and 1 per row, or per step of a sequence. */
export const fillMaskOf = (modality: ModalityShape, kind: MaskKind): Fill => floats((batch, out) => fillMask(batch, modality, kind, out));

/** The weight of modality `m` of `count`. */
export const fillWeight = (m: number, count: number): Fill =>
	floats(({ rows, weights }, out) => {
		for (let i = 0; i < rows.length; i++) out[i] = weights[i * count + m] as number;
	});

/** Whether the row has modality `m` of `count` in training. */
export const fillPresence = (m: number, count: number): Fill<TrainingBatch> =>
	floats(({ rows, present }, out) => {
		for (let i = 0; i < rows.length; i++) out[i] = present[i * count + m] as number;
	});

export const fillConstant = (value: number): Fill => floats((_, out) => void out.fill(value));

/** The labels as they were uploaded: the number of the class, 0 and 1, or the value in its unit; of a position that does not count the index that says so, or NaN. */
export const fillLabels = ({ type, ignore_index: ignored = 0 }: TaskProfile): Fill => ({
	dtype: type === 'binary' || type === 'multiclass' ? 'int32' : 'float32',
	write: (batch, out) => {
		const labels = labelsOf(batch);
		(out as Float64Array).set(type === 'regression' ? labels : labels.map((label) => (label < 0 ? ignored : label)));
	},
});

/** One-hot, 0 and 1, or the scaled value, as the task says. */
export const fillTarget = (task: TaskProfile, scale: TargetScale): Fill => floats((batch, out) => fillTargets(batch, task, scale, out));

/** The class, 0 or 1, or the raw value that an auxiliary output is compared with, as `writeTargets` says. */
export const fillAuxiliaryTarget = ({ target, type }: AuxiliaryOutput): Fill =>
	floats((batch, out) => writeTargets(target, type, batch, out));

export const fillSampleWeight: Fill<TrainingBatch> = floats(({ sampleWeights }, out) => out.set(sampleWeights));

/** The ports that a graph reads, and the graph without the inputs of the others. */
export function portsRead<B extends Batch>(graph: Graph, ports: readonly Port<B>[]): { graph: Graph; ports: Port<B>[] } {
	const read = new Set(graph.nodes.flatMap(readsOf));
	const unread = new Set(ports.flatMap(({ name }) => (read.has(name) ? [] : [name])));
	return {
		graph: { ...graph, inputs: graph.inputs.filter(({ name }) => !unread.has(name)) },
		ports: ports.filter(({ name }) => !unread.has(name)),
	};
}

/** Numbers as a tensor of another type: towards integers they are cut as ONNX's Cast cuts them, and bool is true where they are not 0. */
function converted(dtype: DType, shape: readonly number[], values: TensorData, from: DType): Tensor {
	if (dtype === from) return { dtype, shape, data: values };
	if (dtype === 'bool')
		return tensor(
			dtype,
			shape,
			Uint8Array.from(values as ArrayLike<number | bigint> as ArrayLike<number>, (value) => (Number(value) === 0 ? 0 : 1)),
		);
	if (from === 'float32' && dtype !== 'float64') return tensor(dtype, shape, (values as Float32Array).map(Math.trunc));
	const isWide = (dtype === 'int64' || dtype === 'uint64') && typeof values[0] === 'bigint';
	return tensor(dtype, shape, isWide ? values : Float64Array.from(values as ArrayLike<number>, Number));
}

/** Gives an array of so many zeros for the numbers of a port; a fresh one unless a caller keeps them from run to run. */
export type Buffers = (name: string, dtype: DType, size: number) => TensorData;
const fresh: Buffers = (_, dtype, size) => new (arrayTypeOf(dtype))(size);

/**
 * The inputs of a run by name: every port filled for the batch. `leading` are the axes before those of a row, `[rows]` unless given; where they hold more rows
 * than the batch has, the rest are zeros.
 */
export function filledPorts<B extends Batch>(
	ports: readonly Port<B>[],
	batch: B,
	leading: readonly number[] = [batch.rows.length],
	buffers: Buffers = fresh,
): Record<string, Tensor> {
	return Object.fromEntries(
		ports.map(({ name, dtype, shape, fill }) => {
			const width = sizeOf(shape);
			const data = buffers(name, fill.dtype, sizeOf(leading) * width);
			fill.write(batch, data.subarray(0, batch.rows.length * width));
			return [name, converted(dtype, [...leading, ...shape], data, fill.dtype)];
		}),
	);
}
