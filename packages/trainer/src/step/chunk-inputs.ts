import type { ModalityShape } from '@steelyard/family';
import type { Optimizer } from '@steelyard/optim';
import { arrayTypeOf, type Tensor, type TensorData, tensor } from '@steelyard/runtime';
import type { Architecture } from '../model/architecture.js';
import { type ChunkPlace, drawPool, drawRows, poolOf } from '../model/dropout-pool.js';
import { type Examples, presence, taken, takenRows } from '../model/examples.js';
import { type Buffers, filledPorts } from '../model/port.js';
import { POOL, slotFactorName, valuesName } from '../model/value-names.js';
import type { Chunk } from './chunk.js';
import { dropModalities } from './modality-dropout.js';
import { type InPlaceStep, type Step, slotsOf } from './step.js';

/** The places of `steps` batches, the last batch filled up with its own places in turn. */
function repeated(places: Uint32Array, rows: number, batch: number): Uint32Array {
	const start = Math.floor(places.length / batch) * batch;
	const own = places.length - start;
	return Uint32Array.from({ length: rows }, (_, i) => (i < places.length ? places[i] : places[start + ((i - start) % own)]) as number);
}

/** How much each row of some batches counts, `[rows]`: the first `real` rows make up means over their batches, the others count 0. */
const sampleWeightsOf = (rows: number, real: number, batch: number): Float32Array =>
	Float32Array.from({ length: rows }, (_, i) => (i < real ? 1 / Math.min(batch, real - Math.floor(i / batch) * batch) : 0));

/** Whether each example has each modality, as 1 and 0: `[N, M]`. */
function presenceTable(examples: Examples, modalities: readonly ModalityShape[]): Float32Array {
	const table = new Float32Array(examples.rows.length * modalities.length).fill(1);
	modalities.forEach((modality, m) => {
		presence(examples, modality)?.forEach((there, i) => {
			table[i * modalities.length + m] = there;
		});
	});
	return table;
}

/** Arrays by name that are used again in every chunk, set to zero each time. */
function keptBuffers(): Buffers {
	const buffers = new Map<string, TensorData>();
	return (name, dtype, size) => {
		const known = buffers.get(name);
		const zero = (dtype === 'int64' || dtype === 'uint64' ? 0n : 0) as never;
		if (known !== undefined && known.length >= size) return known.subarray(0, size).fill(zero);
		const made = new (arrayTypeOf(dtype))(size);
		buffers.set(name, made);
		return made;
	};
}

/** The inputs of a chunk that come from the training examples. */
export function exampleInputs(
	{ ports, batch }: Step | InPlaceStep,
	{ train, architecture, modalityDropout }: { train: Examples; architecture: Architecture; modalityDropout: number },
) {
	const buffers = keptBuffers();
	const presentInTrain = presenceTable(train, architecture.modalities);
	const { modalities, padding } = architecture;
	const placesOf = ({ places, length }: Chunk): Uint32Array => (padding === 'repeat' ? repeated(places, length * batch, batch) : places);
	const read = modalities.filter(({ name }) => ports.some((port) => port.name === valuesName(name)));
	/** Lets the rows of a chunk be read while another one runs. */
	const readAhead = (chunk: Chunk): void => {
		const { split, rows } = taken(train, placesOf(chunk));
		for (const { name } of read) split.readAhead(name, rows);
	};
	const inputsOf = (chunk: Chunk, weights: Float32Array, place: ChunkPlace): Record<string, Tensor> => {
		const { places: real, length } = chunk;
		const places = placesOf(chunk);
		const present = takenRows(presentInTrain, modalities.length, places);
		dropModalities(present, modalities.length, modalityDropout, batch, place);
		const own = takenRows(weights, modalities.length, places).map((weight, at) => (present[at] === 0 ? 0 : weight));
		const rows = { ...taken(train, places), present, weights: own, sampleWeights: sampleWeightsOf(places.length, real.length, batch) };
		return filledPorts(ports, rows, [length, batch], buffers);
	};
	return { inputsOf, readAhead };
}

/** The random numbers of a chunk: the pool, which serves many chunks, and the rows of it that each place of each step takes. */
export function randomInputs({ draws }: Step | InPlaceStep) {
	let kept: { number: number; drawn: Tensor } | null = null;
	return (place: ChunkPlace, length: number): Record<string, Tensor> => {
		if (draws.length === 0) return {};
		if (kept?.number !== poolOf(place.step)) kept = { number: poolOf(place.step), drawn: drawPool(place) };
		const rows = drawRows(
			place,
			length,
			draws.map(({ rows }) => rows),
		);
		return { [POOL]: kept.drawn, ...Object.fromEntries(draws.map(({ name }, i) => [name, rows[i] as Tensor])) };
	};
}

/** The inputs of the steps `from` to `until` of a chunk of `length` steps: the slots of the optimizer are multiplied when the whole chunk is done. */
export function partOf(
	{ ports, draws, scalars, state }: Step | InPlaceStep,
	inputs: Readonly<Record<string, Tensor>>,
	{ from, until, length }: { from: number; until: number; length: number },
): Record<string, Tensor> {
	if (from === 0 && until === length) return { ...inputs };
	const ofSteps = [...ports, ...draws, ...scalars].map(({ name }): [string, Tensor] => {
		const { dtype, shape, data } = inputs[name] as Tensor;
		const size = data.length / length;
		return [name, { dtype, shape: [until - from, ...shape.slice(1)], data: data.subarray(from * size, until * size) }];
	});
	const one = tensor('float32', [1, 1], [1]);
	const ofSlots = until === length ? [] : slotsOf(state).map((slot): [string, Tensor] => [slotFactorName(slot), one]);
	return { ...inputs, ...Object.fromEntries([...ofSteps, ...ofSlots]) };
}

/** What the host tells the steps of a chunk: the scalars of each, and by how much the optimizer's slots are multiplied after them where it multiplies them. */
export function scalarInputs(
	{ scalars }: Pick<Step | InPlaceStep, 'scalars'>,
	optimizer: Pick<Optimizer, 'scalarsAt'> & Partial<Pick<Optimizer, 'afterChunk'>>,
	{ step: first, length }: Pick<Chunk, 'step' | 'length'>,
	learningRate: (step: number) => number,
): Record<string, Tensor> {
	const values = Array.from({ length }, (_, j) => {
		const step = first + j + 1;
		return optimizer.scalarsAt({ step, inChunk: j + 1, learningRate: learningRate(step) });
	});
	const ofSteps = scalars.map(({ name, shape }): [string, Tensor] => [
		name,
		tensor(
			'float32',
			[length, ...shape],
			values.map((one) => one[name] as number),
		),
	]);
	const factors = Object.entries(optimizer.afterChunk?.(length) ?? {});
	const ofSlots = factors.map(([slot, factor]): [string, Tensor] => [slotFactorName(slot), tensor('float32', [1, 1], [factor])]);
	return Object.fromEntries([...ofSteps, ...ofSlots]);
}
