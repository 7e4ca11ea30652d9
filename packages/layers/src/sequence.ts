import type { ForwardContext, ParameterSpec } from '@steelyard/family';
import type { Dim, GraphBuilder, Shape, Value } from '@steelyard/onnx';

export type SequenceEncoder = {
	readonly cell: 'lstm' | 'gru';
	readonly bidirectional: boolean;
	/** Size of the state of each direction. */
	readonly hidden: number;
};

/** A recurrent cell: how many gates it has, and one step from what its gates get of x, in one matrix, and the states `[batch, hidden]` before it. */
type Cell = {
	readonly gates: number;
	readonly states: number;
	/** Whether the gates get a bias with the state as well, beside the one with x. */
	readonly recurrentBias: boolean;
	readonly step: (
		b: GraphBuilder,
		of: { x: Value; states: readonly Value[]; weight: Value; bias: Value | null; hidden: number },
	) => Value[];
};

/** Gates i, f, o, g: c' = σ(f)∘c + σ(i)∘tanh(g), h' = σ(o)∘tanh(c') (Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000). */
const lstm: Cell = {
	gates: 4,
	states: 2,
	recurrentBias: false,
	step(b, { x, states: [h, c], weight, hidden }) {
		const [gates, fresh] = b.split(b.gemm(h as Value, weight, x), [3 * hidden, hidden], 1) as [Value, Value];
		const [i, f, o] = b.split(b.op('Sigmoid', [gates]), [hidden, hidden, hidden], 1) as [Value, Value, Value];
		const next = b.add(b.mul(f, c as Value), b.mul(i, b.op('Tanh', [fresh])));
		return [b.mul(o, b.op('Tanh', [next])), next];
	},
};

/** Gates r, z, n: n = tanh(xₙ + σ(r)∘(h·Wₙ + bₙ)), h' = n + σ(z)∘(h − n) (Cho et al. 2014, in the form of PyTorch and cuDNN). */
const gru: Cell = {
	gates: 3,
	states: 1,
	recurrentBias: true,
	step(b, { x, states: [before], weight, bias, hidden }) {
		const h = before as Value;
		const [ofX, freshOfX] = b.split(x, [2 * hidden, hidden], 1) as [Value, Value];
		const [ofH, freshOfH] = b.split(b.gemm(h, weight, bias), [2 * hidden, hidden], 1) as [Value, Value];
		const [r, z] = b.split(b.op('Sigmoid', [b.add(ofX, ofH)]), [hidden, hidden], 1) as [Value, Value];
		const n = b.op('Tanh', [b.add(freshOfX, b.mul(r, freshOfH))]);
		return [b.add(n, b.mul(z, b.sub(h, n)))];
	},
};

const cells = { lstm, gru };

const directionsOf = ({ bidirectional }: SequenceEncoder): readonly string[] => (bidirectional ? ['forward', 'backward'] : ['forward']);

/** Numbers of what `encodeSequence` gives an instance. */
export const sequenceWidth = (encoder: SequenceEncoder): number => encoder.hidden * directionsOf(encoder).length;

/**
 * A direction: `<name>.<direction>.input` `[features, gates·hidden]`, `.recurrent` `[hidden, gates·hidden]`, `.bias` `[gates·hidden]` and for a GRU
 * `.recurrent_bias`; all U(−1/√hidden, 1/√hidden) as in PyTorch. Gates in the order i, f, o, g of an LSTM and r, z, n of a GRU.
 */
export function sequenceParameters(name: string, features: number, encoder: SequenceEncoder): ParameterSpec[] {
	const { gates, recurrentBias } = cells[encoder.cell];
	const { hidden } = encoder;
	const initial = { uniform: 1 / Math.sqrt(hidden) };
	return directionsOf(encoder).flatMap((direction) => [
		{ name: `${name}.${direction}.input`, shape: [features, gates * hidden], initial },
		{ name: `${name}.${direction}.recurrent`, shape: [hidden, gates * hidden], initial },
		{ name: `${name}.${direction}.bias`, shape: [gates * hidden], initial },
		...(recurrentBias ? [{ name: `${name}.${direction}.recurrent_bias`, shape: [gates * hidden], initial }] : []),
	]);
}

/** Zeros `[batch, width]` for the batch of x. */
function zerosFor(g: GraphBuilder, x: Value, width: number): Value {
	const [batch] = x.shape as [Dim];
	if (typeof batch === 'number') return g.expand(g.scalar(0), [batch, width]);
	const rows = g.op('Shape', [x], { start: 0, end: 1 }, { dtype: 'int64', shape: [1] });
	const shape = g.concat([rows, g.ints([width])], 0);
	return g.op('Expand', [g.scalar(0), shape], {}, { shape: [batch, width] });
}

/** The steps' axis first. */
const stepsFirst = (g: GraphBuilder, x: Value): Value => g.transpose(x, [1, 0, ...x.shape.slice(2).map((_, axis) => axis + 2)]);

/** The state `[batch, hidden]` of one direction after its last step. What the gates get of x is computed for all steps at once. */
function walk(
	{ g, parameter }: ForwardContext,
	steps: Value,
	there: Value | null,
	start: Value,
	name: string,
	{ cell: kind, hidden }: SequenceEncoder,
) {
	const cell = cells[kind];
	const [count, batch, features] = steps.shape as [number, Dim, number];
	const rows = typeof batch === 'number' ? count * batch : `${count}*${batch}`;
	const ofX = g.gemm(g.reshape(steps, [rows, features]), parameter(`${name}.input`), parameter(`${name}.bias`));
	const scanned = [g.reshape(ofX, [count, batch, cell.gates * hidden]), ...(there === null ? [] : [there])];
	const [weight, bias] = [parameter(`${name}.recurrent`), cell.recurrentBias ? parameter(`${name}.recurrent_bias`) : null];

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
	for (const value of after) b.output(b.fresh('out', value.dtype, value.shape).name, value);

	const last = starts.map((value) => g.fresh('state', value.dtype, value.shape));
	g.node('Scan', [...starts, ...scanned], last, {
		body: { type: 'graph', value: b.build('step') },
		num_scan_inputs: scanned.length,
		...(name.endsWith('backward') ? { scan_input_directions: scanned.map(() => 1) } : {}),
	});
	return last[0] as Value;
}

/**
 * A recurrent encoder: x `[batch, steps, features]` → `[batch, hidden]`, or `[batch, 2·hidden]` of both directions, its state after the last step. A step that
 * `mask` `[batch, steps]` leaves out by 0 leaves the state as it was, so that the other direction begins with the last step that is there; a row without any
 * step gives zeros.
 */
export function encodeSequence(context: ForwardContext, x: Value, mask: Value | null, name: string, encoder: SequenceEncoder): Value {
	const { g } = context;
	const steps = stepsFirst(g, x);
	const [count, batch] = steps.shape as [number, Dim];
	const there =
		mask === null ? null : g.op('Greater', [g.reshape(stepsFirst(g, mask), [count, batch, 1]), g.scalar(0.5)], {}, { dtype: 'bool' });
	const start = zerosFor(g, x, encoder.hidden);
	const ends = directionsOf(encoder).map((direction) => walk(context, steps, there, start, `${name}.${direction}`, encoder));
	return ends.length === 1 ? (ends[0] as Value) : g.concat(ends, 1);
}
