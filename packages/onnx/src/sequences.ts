import { type Tensor, tensor } from '@steelyard/runtime';
import { readAttributes, withoutAttributes } from './attributes.js';
import type { Graph, Node } from './graph.js';

const numbersOf = (value: Tensor): number[] => Array.from(value.data as ArrayLike<number | bigint>, Number);

/** Where the part at `position` begins and ends, of parts of one size, of sizes given one by one, or (`split` null) of one entry each. Null behind the last part. */
function reachOf(split: Tensor | null, position: number): readonly [number, number] | null {
	if (split === null) return [position, position + 1];
	const sizes = numbersOf(split);
	if (split.shape.length === 0) return [position * (sizes[0] as number), (position + 1) * (sizes[0] as number)];
	if (position >= sizes.length) return null;
	const start = sizes.slice(0, position).reduce((sum, size) => sum + size, 0);
	return [start, start + (sizes[position] as number)];
}

/**
 * The graph without sequences of tensors, as far as they are not needed: where a tensor is split into a sequence of which parts are taken at constant positions
 * (torch.chunk as its exporter writes it), a Slice reads each part, and where values become a sequence that is then joined, a Concat joins them. Others stay.
 */
export function withoutSequences(graph: Graph): Graph {
	const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output): [string, Node] => [output, node])));
	const initializers = new Map(graph.initializers);
	const constant = (stem: string, values: readonly number[]): string => {
		const name = `steelyard/${stem}`;
		initializers.set(name, tensor('int64', [values.length], values));
		return name;
	};

	function part(node: Node): Node[] {
		const [sequence = '', at = ''] = node.inputs;
		const maker = makers.get(sequence);
		const place = graph.initializers.get(at);
		const [x = '', by = ''] = maker?.inputs ?? [];
		const split = by === '' ? null : graph.initializers.get(by);
		const [output = ''] = node.outputs;
		if (maker?.op !== 'SplitToSequence' || place === undefined || split === undefined) return [node];
		const [position = 0] = numbersOf(place);
		const reach = position < 0 ? null : reachOf(split, position);
		if (reach === null) return [node];
		const { int } = readAttributes(maker);
		const axis = constant(`${output}/axis`, [int('axis', 0)]);
		const squeezed = split === null && int('keepdims', 1) === 0;
		const cut = squeezed ? `steelyard/${output}/part` : output;
		const [starts, ends] = reach.map((end, i) => constant(`${output}/${i === 0 ? 'start' : 'end'}`, [end])) as [string, string];
		const slice: Node = { name: node.name, op: 'Slice', inputs: [x, starts, ends, axis], outputs: [cut], attributes: {} };
		if (!squeezed) return [slice];
		return [slice, { name: `${node.name}/squeeze`, op: 'Squeeze', inputs: [cut, axis], outputs: [output], attributes: {} }];
	}

	function joined(node: Node): Node[] {
		const maker = makers.get(node.inputs[0] ?? '');
		if (maker?.op !== 'SequenceConstruct' || readAttributes(node).int('new_axis', 0) !== 0) return [node];
		return [{ ...withoutAttributes(node, 'new_axis'), op: 'Concat', inputs: maker.inputs }];
	}

	const changed = graph.nodes.flatMap((node) =>
		node.op === 'SequenceAt' ? part(node) : node.op === 'ConcatFromSequence' ? joined(node) : [node],
	);
	const read = new Set([...changed.flatMap(({ inputs }) => inputs), ...graph.outputs.map(({ name }) => name)]);
	const isLeft = ({ op, outputs }: Node): boolean =>
		(op === 'SplitToSequence' || op === 'SequenceConstruct') && !outputs.some((output) => read.has(output));
	return { ...graph, nodes: changed.filter((node) => !isLeft(node)), initializers };
}
