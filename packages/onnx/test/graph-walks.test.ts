import { tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { checked } from '../src/check.js';
import {
	type Attribute,
	bodiesOf,
	dependentsOf,
	GraphBuilder,
	GraphError,
	graphsWithin,
	type Node,
	readAttributes,
	renamed,
	withoutUnused,
} from '../src/index.js';

/** An If on `condition` whose branches read `x` of the graph around them, and a node that reads neither. */
function branching() {
	const g = new GraphBuilder();
	const condition = g.input('condition', 'bool', []);
	const x = g.input('x', 'float32', [2]);
	const branch = (op: string) => {
		const b = g.nested();
		b.output(`${op}/out`, b.op(op, [x]));
		return { type: 'graph', value: b.build(op) } as const;
	};
	const y = g.fresh('y', 'float32', [2]);
	g.node('If', [condition], [y], { then_branch: branch('Neg'), else_branch: branch('Exp') });
	g.output('y', y);
	g.output('two', g.add(g.initializer('one', tensor('float32', [], [1])), g.scalar(1)));
	return g.build('branching');
}

describe('withoutUnused', () => {
	/** A Scan over x [4, 2] that gives a carry and two stacks, of which the graph gives those `used`. */
	const scanning = (used: readonly string[]) => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [4, 2]);
		const start = g.input('start', 'float32', [2]);
		const b = g.nested();
		const [h, row] = [b.input('h', 'float32', [2]), b.input('row', 'float32', [2])];
		const next = b.add(h, row);
		for (const value of [next, b.exp(next), b.neg(row)]) b.output(value.name, value);
		const given = ['last', 'exponentials', 'negatives'].map((name, i) => ({
			name,
			dtype: 'float32' as const,
			shape: i === 0 ? [2] : [4, 2],
		}));
		g.node('Scan', [start, x], given, {
			body: { type: 'graph', value: b.build('step') },
			num_scan_inputs: 1,
			scan_output_axes: [0, 0],
			scan_output_directions: [0, 1],
		});
		for (const value of given) if (used.includes(value.name)) g.output(value.name, value);
		return withoutUnused(g.build('scanning')).nodes[0] as Node;
	};

	it('leaves out the stacked outputs of a Scan that nothing reads, and what makes them in its body', () => {
		const node = scanning(['negatives']);
		const [[, body]] = bodiesOf(node) as [[string, ReturnType<typeof branching>]];
		expect(node.outputs).toEqual(['last', 'negatives']);
		expect(body.nodes.map(({ op }) => op)).toEqual(['Add', 'Neg']);
		expect(body.outputs).toHaveLength(2);
		expect(readAttributes(node).ints('scan_output_directions')).toEqual([1]);
	});

	it('leaves out the places of stacked outputs where none is left', () => {
		const node = scanning(['last']);
		expect(node.outputs).toEqual(['last']);
		expect(readAttributes(node).ints('scan_output_axes')).toBeNull();
	});
});

describe('dependentsOf', () => {
	it('follows what the bodies of a node capture, and leaves out what does not depend on the sources', () => {
		const found = dependentsOf(branching(), ['x']);
		expect(found.has('y')).toBe(true);
		expect(found.has('two')).toBe(false);
		expect(found.has('condition')).toBe(false);
	});

	it('does not take an output that is left out for a value that others read', () => {
		const node = (name: string, inputs: string[], outputs: string[]): Node => ({ name, op: 'Op', inputs, outputs, attributes: {} });
		const graph = {
			...branching(),
			nodes: [node('first', ['x'], ['a', '']), node('second', ['b', ''], ['c'])],
		};
		expect([...dependentsOf(graph, ['x'])]).toEqual(['x', 'a']);
	});

	it('stops at the outputs that pass nothing on', () => {
		expect([...dependentsOf(branching(), ['x'], ({ op }) => op !== 'If')]).toEqual(['x']);
	});
});

describe('renamed', () => {
	it('renames values in a graph and in its bodies, so that the result is as sound as before', () => {
		const graph = renamed(branching(), (name) => `scope/${name}`);
		expect(graph.inputs.map(({ name }) => name)).toEqual(['scope/condition', 'scope/x']);
		expect([...graphsWithin(graph)].map(({ name }) => name)).toEqual(['branching', 'Neg', 'Exp']);
		for (const { nodes } of graphsWithin(graph))
			for (const { inputs, outputs } of nodes) for (const name of [...inputs, ...outputs]) expect(name).toMatch(/^scope\//);
		expect(() => checked(graph)).not.toThrow();
	});
});

describe('readAttributes', () => {
	it('refuses an attribute of another type, naming the node', () => {
		const attributes: Record<string, Attribute> = { axis: { type: 'float', value: 1 }, activations: { type: 'strings', value: ['Relu'] } };
		const read = readAttributes({ name: 'n', op: 'Concat', inputs: [], outputs: [], attributes });
		expect(read.texts('activations')).toEqual(['Relu']);
		expect(read.floats('activation_alpha')).toBe(null);
		expect(() => read.int('axis', 0)).toThrow(GraphError);
		expect(() => read.int('axis', 0)).toThrow('attribute "axis" of node "n" (Concat) is float, expected int');
	});
});
