import { type ForwardContext, meeting, type ParameterSpec, parameterSpec } from '@steelyard/family';
import { type Dim, type GraphBuilder, gruStep, lstmStep, type Shape, type Value } from '@steelyard/onnx';

export type SequenceEncoder = {
	readonly cell: 'lstm' | 'gru';
	readonly bidirectional: boolean;
	/** Size of the state of each direction. */
	readonly hidden: number;
};

/** A step's inputs: the part of the sums of all gates that comes from x, the states `[batch, hidden]` before the step, and the recurrent weight and bias. */
type StepInputs = {
	readonly x: Value;
	readonly states: readonly Value[];
	readonly weight: Value;
	readonly bias: Value | null;
	readonly hidden: number;
};

/** A recurrent cell. */
type Cell = {
	readonly gates: number;
	readonly states: number;
	/** Whether the gates get a bias with the state as well, beside the one with x. */
	readonly recurrentBias: boolean;
	/** Adds one step. Gives the states after it, of which the first is the output. */
	readonly step: (b: GraphBuilder, inputs: StepInputs) => Value[];
};

/** Gates in the order i, f, o, candidate. */
const lstm: Cell = {
	gates: 4,
	states: 2,
	recurrentBias: false,
	step: (b, { x, states: [h, c], weight }) =>
		lstmStep(b, b.gemm(h as Value, weight, x), c as Value, { order: ['input', 'forget', 'output'] }),
};

/** Gates in the order r, z, candidate, whose reset gate acts behind the product with the recurrent weight, as in PyTorch and cuDNN. */
const gru: Cell = {
	gates: 3,
	states: 1,
	recurrentBias: true,
	step(b, { x, states, weight, bias, hidden }) {
		const [h] = states as [Value];
		const [gatesOfX, candidateOfX] = b.split(x, [2 * hidden, hidden], 1) as [Value, Value];
		const [gatesOfH, candidateOfH] = b.split(b.gemm(h, weight, bias), [2 * hidden, hidden], 1) as [Value, Value];
		const candidate = (reset: Value): Value => b.add(candidateOfX, b.mul(reset, candidateOfH));
		return [gruStep(b, b.add(gatesOfX, gatesOfH), candidate, h, { order: ['reset', 'update'] })];
	},
};

const cells = { lstm, gru };

/** A way through the steps, by the name that its parameters have. */
type Direction = { readonly name: 'forward' | 'backward'; readonly fromTheEnd: boolean };

const forward: Direction = { name: 'forward', fromTheEnd: false };
const backward: Direction = { name: 'backward', fromTheEnd: true };

const directionsOf = ({ bidirectional }: SequenceEncoder): readonly Direction[] => (bidirectional ? [forward, backward] : [forward]);

/** How many numbers `encodeSequence` gives per instance. */
export const sequenceWidth = (encoder: SequenceEncoder): number => encoder.hidden * directionsOf(encoder).length;

/**
 * Per direction (`forward`, `backward`): `<name>.<direction>.input` `[features, gates·hidden]`, `.recurrent` `[hidden, gates·hidden]`, `.bias` `[gates·hidden]` and for
 * a GRU `.recurrent_bias`; all U(−1/√hidden, 1/√hidden) as in PyTorch. The gates stand in the order i, f, o, candidate of an LSTM and r, z, candidate of a GRU.
 */
export function sequenceParameters(name: string, features: number, encoder: SequenceEncoder): ParameterSpec[] {
	const { gates, recurrentBias } = cells[encoder.cell];
	const { hidden } = encoder;
	const initial = { uniform: 1 / Math.sqrt(hidden) };
	return directionsOf(encoder).flatMap((direction) => {
		const part = (of: string, shape: readonly number[]): ParameterSpec => parameterSpec(`${name}.${direction.name}.${of}`, shape, initial);
		return [
			...meeting('step', [part('input', [features, gates * hidden]), part('recurrent', [hidden, gates * hidden])]),
			part('bias', [gates * hidden]),
			...(recurrentBias ? [part('recurrent_bias', [gates * hidden])] : []),
		];
	});
}

/** Zeros `[batch, width]` for the batch of x. */
function zerosFor(g: GraphBuilder, x: Value, width: number): Value {
	const [batch] = x.shape as [Dim];
	if (typeof batch === 'number') return g.expand(g.scalar(0), [batch, width]);
	const rows = g.op('Shape', [x], { start: 0, end: 1 }, { dtype: 'int64', shape: [1] });
	const shape = g.concat([rows, g.ints([width])], 0);
	return g.op('Expand', [g.scalar(0), shape], {}, { shape: [batch, width] });
}

/** `[batch, steps, …]` → `[steps, batch, …]`. */
const stepsFirst = (g: GraphBuilder, x: Value): Value => g.transpose(x, [1, 0, ...x.shape.slice(2).map((_, axis) => axis + 2)]);

/**
 * The state `[batch, hidden]` of one direction after its last step, from `steps` `[steps, batch, features]`; `there` `[steps, batch, 1]` says which steps count.
 * What x adds to the sums of the gates is computed for all steps at once.
 */
function lastState(
	{ g, parameter }: ForwardContext,
	{ steps, there, start }: { readonly steps: Value; readonly there: Value | null; readonly start: Value },
	name: string,
	{ cell: kind, hidden }: SequenceEncoder,
	direction: Direction,
): Value {
	const cell = cells[kind];
	const part = (of: string): Value => parameter(`${name}.${direction.name}.${of}`);
	const [count, batch, features] = steps.shape as [number, Dim, number];
	const rows = typeof batch === 'number' ? count * batch : `${count}*${batch}`;
	const sumsOfX = g.gemm(g.reshape(steps, [rows, features]), part('input'), part('bias'));
	const scanned = [g.reshape(sumsOfX, [count, batch, cell.gates * hidden]), ...(there === null ? [] : [there])];
	const [weight, bias] = [part('recurrent'), cell.recurrentBias ? part('recurrent_bias') : null];

	const b = g.nested();
	const input = ({ dtype }: Value, shape: Shape): Value => b.input(b.fresh('in', dtype, shape).name, dtype, shape);
	const starts = Array.from({ length: cell.states }, () => start);
	const states = starts.map((value) => input(value, value.shape));
	const [x, isThere = null] = scanned.map((value) => input(value, value.shape.slice(1))) as [Value, Value?];
	const after = cell
		.step(b, { x, states, weight, bias, hidden })
		.map((next, i) =>
			isThere === null ? next : b.op('Where', [isThere, next, states[i] as Value], {}, { dtype: next.dtype, shape: next.shape }),
		);
	for (const value of after) b.output(value.name, value);

	const last = starts.map((value) => g.fresh('state', value.dtype, value.shape));
	g.node('Scan', [...starts, ...scanned], last, {
		body: { type: 'graph', value: b.build('step') },
		num_scan_inputs: scanned.length,
		...(direction.fromTheEnd ? { scan_input_directions: scanned.map(() => 1) } : {}),
	});
	return last[0] as Value;
}

/**
 * A recurrent encoder: x `[batch, steps, features]` → its state after the last step, `[batch, hidden]`, or `[batch, 2·hidden]` of both directions. A step that `mask`
 * `[batch, steps]` leaves out by 0 leaves the state as it was, so that the other direction begins with the last step that is there; a row without any step gives zeros.
 */
export function encodeSequence(context: ForwardContext, x: Value, mask: Value | null, name: string, encoder: SequenceEncoder): Value {
	const { g } = context;
	const steps = stepsFirst(g, x);
	const [count, batch] = steps.shape as [number, Dim];
	const there =
		mask === null ? null : g.op('Greater', [g.reshape(stepsFirst(g, mask), [count, batch, 1]), g.scalar(0.5)], {}, { dtype: 'bool' });
	const start = zerosFor(g, x, encoder.hidden);
	const ends = directionsOf(encoder).map((direction) => lastState(context, { steps, there, start }, name, encoder, direction));
	return ends.length === 1 ? (ends[0] as Value) : g.concat(ends, 1);
}
