import type { DType, Tensor } from '@steelyard/runtime';
import { type AttributeReader, readAttributes } from '../attributes.js';
import { bodiesOf, withoutUnused } from '../bodies.js';
import { GraphBuilder } from '../builder.js';
import { type Graph, GraphError, type Node, positiveAxis, type Value } from '../graph.js';
import { withoutOutputCopies } from '../output-copies.js';
import { narrow, narrowType } from './narrow.js';
import { rules } from './rules.js';

/** The inputs of operators that say a shape, axes or lengths: constants of int64, which the provider reads on the host. */
const ON_HOST: Readonly<Record<string, readonly number[]>> = {
	...{ ConstantOfShape: [0], CumSum: [1], Expand: [1], OneHot: [1], Pad: [1, 3], Reshape: [1], Resize: [1, 2, 3] },
	...{ Slice: [1, 2, 3, 4], Split: [1], Squeeze: [1], Tile: [1], TopK: [1], Unsqueeze: [1], GatherND: [1], ScatterND: [1] },
};
const isOnHost = (op: string, index: number): boolean => (op.startsWith('Reduce') ? index === 1 : (ON_HOST[op]?.includes(index) ?? false));

/** The most nodes that the iterations of a Scan may be written out as. */
const MOST_NODES = 2 ** 14;

/** The types of the values of a graph or a body, and what stands for them in the graph that is written. */
class Scope {
	readonly #written = new Map<string, Value>();
	readonly #parent: Scope | null;
	readonly graph: Graph;

	constructor(graph: Graph, parent: Scope | null = null) {
		this.graph = graph;
		this.#parent = parent;
	}

	set(name: string, value: Value): void {
		if (name !== '') this.#written.set(name, value);
	}
	written(name: string): Value | null {
		return this.#written.get(name) ?? this.#parent?.written(name) ?? null;
	}
	tensor(name: string): Tensor | null {
		return this.graph.initializers.get(name) ?? this.#parent?.tensor(name) ?? null;
	}
	type(name: string): Value {
		const value = this.graph.values.get(name);
		if (value === undefined) throw new GraphError('unknown_shape', `nothing is known of the value "${name}"`, name);
		return value;
	}
}

class Writer {
	readonly #g = new GraphBuilder('webgpu/');
	/** The values of which a value was put together along its first axis. */
	readonly #pieces = new Map<string, readonly Value[]>();

	write(graph: Graph): Graph {
		const scope = new Scope(graph);
		for (const { name, dtype, shape } of graph.inputs) scope.set(name, this.#g.input(name, narrowType(dtype), shape));
		this.#nodes(scope);
		for (const { name } of graph.outputs) this.#g.output(name, this.#read(scope, name));
		return withoutOutputCopies(withoutUnused(this.#g.build(graph.name)));
	}

	#nodes(scope: Scope): void {
		for (const node of scope.graph.nodes) {
			const results = node.op === 'Scan' ? this.#scan(node, scope) : this.#results(node, scope);
			node.outputs.forEach((name, i) => scope.set(name, results[i] as Value));
		}
	}

	/** The value that stands for `name`; a constant in a narrow type unless `isHost`. */
	#read(scope: Scope, name: string, isHost = false): Value {
		const written = scope.written(name);
		if (written !== null) return written;
		const constant = scope.tensor(name);
		if (constant === null) throw new GraphError('malformed_model', `nothing gives the value "${name}"`, name);
		const { dtype, shape, data } = isHost ? constant : narrow(constant);
		return this.#g.constant(dtype, shape, data);
	}

	#results(node: Node, scope: Scope): readonly Value[] {
		if (bodiesOf(node).length > 0)
			throw new GraphError('unsupported_operator', `WebGPU has no kernel of ${node.op} (node "${node.name}")`, node.name);
		const input = (index: number): Value => this.#read(scope, node.inputs[index] as string, isOnHost(node.op, index));
		const output = (index: number): Value => {
			const value = scope.type(node.outputs[index] || (node.outputs[0] as string));
			return { ...value, dtype: narrowType(value.dtype) };
		};
		const kept = (inputs: Readonly<Record<number, Value>> = {}, dtype: DType | null = null): Value[] => {
			const outputs = node.outputs.map((name, i) =>
				name === '' ? null : this.#g.fresh(node.op, dtype ?? output(i).dtype, output(i).shape),
			);
			this.#g.node(
				node.op,
				node.inputs.map((name, i) => inputs[i] ?? (name === '' ? null : input(i))),
				outputs,
				node.attributes,
			);
			return outputs as Value[];
		};
		if (node.op === 'Cast') return [this.#g.cast(input(0), output(0).dtype)];
		const constant = (index: number): number[] | null => {
			const found = scope.tensor(node.inputs[index] ?? '');
			return found === null ? null : Array.from(found.data as ArrayLike<number | bigint>, Number);
		};
		const reader: AttributeReader = readAttributes(node);
		const rule = Object.hasOwn(rules, node.op) ? rules[node.op] : undefined;
		return rule?.({ ...reader, node, g: this.#g, input, constant, output, kept }) ?? kept();
	}

	/** The slices of a value along an axis, which they do not have any more. */
	#slices(value: Value, axis: number): readonly Value[] {
		const known = axis === 0 ? this.#pieces.get(value.name) : undefined;
		if (known !== undefined) return known;
		const g = this.#g;
		const shape = value.shape.filter((_, i) => i !== axis);
		const numbers = value.dtype === 'bool' ? g.cast(value, 'float32') : value;
		const slices = Array.from({ length: value.shape[axis] as number }, (_, at) => {
			const slice = g.op('Gather', [numbers, g.scalar(at, 'int64')], { axis }, { shape });
			return value.dtype === 'bool' ? g.cast(slice, 'bool') : slice;
		});
		if (axis === 0) this.#pieces.set(value.name, slices);
		return slices;
	}

	/** A value of which these are the slices along an axis. */
	#stacked(slices: readonly Value[], axis: number): Value {
		const g = this.#g;
		const numbers = slices.map((slice) => {
			const shape = slice.shape.toSpliced(axis, 0, 1);
			return g.op('Reshape', [slice.dtype === 'bool' ? g.cast(slice, 'float32') : slice, g.ints(shape as number[])], {}, { shape });
		});
		const stacked = g.concat(numbers, axis);
		const value = slices[0]?.dtype === 'bool' ? g.cast(stacked, 'bool') : stacked;
		if (axis === 0) this.#pieces.set(value.name, slices);
		return value;
	}

	/** The iterations of a Scan one after another: the provider would run it on the host. */
	#scan(node: Node, scope: Scope): Value[] {
		const { ints, int } = readAttributes(node);
		const [[, body]] = bodiesOf(node) as [[string, Graph]];
		const scanned = int('num_scan_inputs', 0);
		const carried = node.inputs.length - scanned;
		const made = node.outputs.length - carried;
		const listed = (name: string, count: number): readonly number[] => ints(name) ?? Array<number>(count).fill(0);
		const [axes, directions] = [listed('scan_input_axes', scanned), listed('scan_input_directions', scanned)];
		const [outAxes, outDirections] = [listed('scan_output_axes', made), listed('scan_output_directions', made)];
		const values = node.inputs.map((name) => this.#read(scope, name));
		const sources = values.slice(carried).map((value, i) => {
			const slices = this.#slices(value, positiveAxis(axes[i] as number, value.shape.length));
			return directions[i] === 1 ? slices.toReversed() : slices;
		});
		const steps = sources[0]?.length ?? 0;
		if (steps * body.nodes.length > MOST_NODES)
			throw new GraphError(
				'unsupported_operator',
				`WebGPU has no kernel of Scan, and node "${node.name}" is too long to be written out: ${steps} steps of ${body.nodes.length} nodes each, expected at most ${MOST_NODES} nodes`,
				node.name,
			);
		let state = values.slice(0, carried);
		const stacks: Value[][] = Array.from({ length: made }, () => []);
		for (let step = 0; step < steps; step++) {
			const inside = new Scope(body, scope);
			body.inputs.forEach(({ name }, i) => {
				inside.set(name, i < carried ? (state[i] as Value) : (sources[i - carried]?.[step] as Value));
			});
			this.#nodes(inside);
			const results = body.outputs.map(({ name }) => this.#read(inside, name));
			state = results.slice(0, carried);
			results.slice(carried).forEach((value, i) => stacks[i]?.push(value));
		}
		return [
			...state,
			...stacks.map((slices, i) =>
				this.#stacked(
					outDirections[i] === 1 ? slices.toReversed() : slices,
					positiveAxis(outAxes[i] as number, (slices[0] as Value).shape.length + 1),
				),
			),
		];
	}
}

/**
 * A canonical graph in the form that the WebGPU provider of ONNX Runtime runs wholly on the device, with the same results but for rounding: operators without a kernel are
 * written as others (`rules`), numbers of 64 bits have 32 (`narrow`), also as inputs, and the iterations of a Scan stand one after another. All its values have types and
 * sizes. Throws GraphError `unsupported_operator` for other control flow and for a Scan that is too long; what else has no kernel is told by `withoutKernel`.
 */
export const forWebgpu = (graph: Graph): Graph => new Writer().write(graph);
