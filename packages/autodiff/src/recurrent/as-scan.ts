import { type Graph, type GraphBuilder, GraphError, type Node, readAttributes, staticShape, type Value } from '@steelyard/onnx';
import { asOutputs } from '../rules/bodies.js';
import { activationsOf } from './activations.js';
import { type Cell, cells, type Setting, type Weights } from './cells.js';

/** One direction of a node: its parameters, how it is set, its states before the first step, and whether it goes from the last step to the first. */
type Direction = { weights: Weights; setting: Setting; starts: Value[]; reverse: boolean };

/** The parts of x along its first axis, without that axis. */
function rowsOf(g: GraphBuilder, x: Value): Value[] {
	const [count, ...rest] = staticShape(x) as [number, ...number[]];
	const parts = count === 1 ? [x] : g.split(x, Array<number>(count).fill(1), 0);
	return parts.map((part) => g.reshape(part, rest));
}

/** Whether each step lies within its sequence: [T, B, 1]. */
function within(g: GraphBuilder, lengths: Value, steps: number): Value {
	const batch = staticShape(lengths)[0] as number;
	const count = g.constant(
		'int32',
		[steps, 1, 1],
		Array.from({ length: steps }, (_, t) => t),
	);
	return g.op('Less', [count, g.reshape(lengths, [1, batch, 1])], {}, { dtype: 'bool', shape: [steps, batch, 1] });
}

/** The initial state [B, H], but 0 for a sequence of length 0, as in ONNX Runtime. */
function ofNonEmpty(g: GraphBuilder, lengths: Value, start: Value): Value {
	const shape = [staticShape(lengths)[0] as number, 1];
	const some = g.op('Greater', [g.reshape(lengths, shape), g.constant(lengths.dtype, [1, 1], [0])], {}, { dtype: 'bool', shape });
	return g.op('Where', [some, start, g.scalar(0, start.dtype)], {}, { dtype: start.dtype, shape: start.shape });
}

/**
 * Adds one direction over x [T, B, I]: the outputs of all steps [T, B, H], and the states [B, H] after the last. Beyond its end a sequence keeps its states, and its
 * output is 0.
 */
function walk(g: GraphBuilder, cell: Cell, x: Value, inside: Value | null, direction: Direction): { all: Value; states: Value[] } {
	const [steps, batch, size] = staticShape(x) as [number, number, number];
	const { inputs, step } = cell.prepare(g, g.reshape(x, [steps * batch, size]), direction.weights, direction.setting);
	const stacks = inputs.map((input) => g.reshape(input, [steps, batch, staticShape(input)[1] as number]));
	const scanned = inside === null ? stacks : [...stacks, inside];

	const b = g.nested();
	const input = ({ dtype }: Value, shape: readonly number[]): Value => {
		const { name } = b.fresh('in', dtype, shape);
		return b.input(name, dtype, shape);
	};
	const before = direction.starts.map((start) => input(start, staticShape(start)));
	const slices = scanned.map((stack) => input(stack, staticShape(stack).slice(1)));
	const made = step(b, slices.slice(0, stacks.length), before);
	const mask = inside === null ? null : (slices.at(-1) as Value);
	const chosen = (yes: Value, no: Value): Value =>
		mask === null ? yes : b.op('Where', [mask, yes, no], {}, { dtype: yes.dtype, shape: yes.shape });
	const after = made.map((value, i) => chosen(value, before[i] as Value));
	const [h] = made as [Value];
	// where a value is both, the state is the copy, so that a gradient finds the stack under the name of the value
	const [ofStep, ...copies] = asOutputs(b, [chosen(h, b.scalar(0, h.dtype)), ...after]) as [Value, ...Value[]];
	for (const value of [...copies, ofStep]) b.output(value.name, value);

	const states = direction.starts.map((start) => g.fresh('state', start.dtype, start.shape));
	const all = g.fresh('all', x.dtype, [steps, ...staticShape(h)]);
	g.node('Scan', [...direction.starts, ...scanned], [...states, all], {
		body: { type: 'graph', value: b.build('step') },
		num_scan_inputs: scanned.length,
		...(direction.reverse ? { scan_input_directions: scanned.map(() => 1), scan_output_directions: [1] } : {}),
	});
	return { all, states };
}

/** The directions of a node and their parameters. */
function directionsOf(g: GraphBuilder, cell: Cell, node: Node, inputs: ReadonlyArray<Value | null>, batch: number): Direction[] {
	const [, w, r, bias, lengths, h, c, peepholes] = inputs;
	const { int, float, text } = readAttributes(node);
	const direction = text('direction', 'forward');
	const reverse = { forward: [false], reverse: [true], bidirectional: [false, true] }[direction];
	const count = staticShape(w as Value)[0] as number;
	if (reverse === undefined || reverse.length !== count)
		throw new GraphError(
			'malformed_model',
			`node "${node.name}" (${node.op}) has the direction "${direction}" and weights of ${count} directions`,
			node.name,
		);
	const hidden = staticShape(r as Value)[2] as number;
	const activations = activationsOf(node, cell.activations, count);
	const perDirection = (value: Value | null | undefined): Array<Value | null> => (value ? rowsOf(g, value) : reverse.map(() => null));
	const [ws, rs, biases, peeps] = [w, r, bias, peepholes].map(perDirection) as [Value[], Value[], Value[], Value[]];
	const batchFirst = int('layout', 0) === 1;
	const starts = [h, c]
		.slice(0, cell.states)
		.map((start) => perDirection(start && batchFirst ? g.transpose(start, [1, 0, 2]) : start))
		.map((each) => each.map((start) => (start && lengths ? ofNonEmpty(g, lengths, start) : start)));
	return reverse.map((backward, i): Direction => {
		const { dtype } = ws[i] as Value;
		const gates = staticShape(rs[i] as Value)[0] as number;
		const both = biases[i] ? (g.split(biases[i], [gates, gates], 0) as [Value, Value]) : null;
		return {
			weights: { w: ws[i] as Value, r: rs[i] as Value, bias: both, peepholes: peeps[i] ?? null },
			setting: {
				activations: activations[i] ?? [],
				clip: float('clip', 0),
				inputForget: int('input_forget', 0) === 1,
				linearBeforeReset: int('linear_before_reset', 0) === 1,
			},
			starts: starts.map((start) => start[i] ?? g.expand(g.scalar(0, dtype), [batch, hidden])),
			reverse: backward,
		};
	});
}

/**
 * An LSTM, GRU or RNN as nodes that give the same outputs under the same names: one Scan per direction, with W·x computed for all steps at once. `g` is a builder
 * for these nodes alone. Throws GraphError for attributes that do not fit.
 */
export function asScan(g: GraphBuilder, node: Node, inputs: ReadonlyArray<Value | null>): Graph {
	const cell = cells[node.op] as Cell;
	const batchFirst = readAttributes(node).int('layout', 0) === 1;
	const [given, , , , lengths] = inputs;
	const x = batchFirst ? g.transpose(given as Value, [1, 0, 2]) : (given as Value);
	const [steps, batch] = staticShape(x) as [number, number];
	const inside = lengths ? within(g, lengths, steps) : null;
	const walked = directionsOf(g, cell, node, inputs, batch).map((direction) => walk(g, cell, x, inside, direction));
	const joined = (parts: Value[], axis: number): Value =>
		g.concat(
			parts.map((part) => g.reshape(part, staticShape(part).toSpliced(axis, 0, 1))),
			axis,
		);
	const [all = '', ...last] = node.outputs;
	if (all !== '') {
		const y = joined(
			walked.map((one) => one.all),
			1,
		);
		g.output(all, batchFirst ? g.transpose(y, [2, 0, 1, 3]) : y);
	}
	last.forEach((name, i) => {
		if (name === '') return;
		const states = joined(
			walked.map((one) => one.states[i] as Value),
			0,
		);
		g.output(name, batchFirst ? g.transpose(states, [1, 0, 2]) : states);
	});
	return g.build(node.name);
}
