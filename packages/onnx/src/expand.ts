import type { Tensor } from '@steelyard/runtime';
import { readAttributes } from './attributes.js';
import { namesOf, readsOf } from './bodies.js';
import { GraphBuilder } from './builder.js';
import type { CompositeContext, Expansions } from './composites/composite.js';
import { composites, expansions } from './composites/table.js';
import { type Graph, GraphError, type Model, type Node, OPSET, type Value } from './graph.js';
import { renamed } from './rename.js';

/** What is known of a graph. */
type Scope = {
	readonly values: ReadonlyMap<string, Value>;
	readonly constants: ReadonlyMap<string, Tensor>;
	/** The values that a node, a body or an output of the graph reads. */
	readonly read: ReadonlySet<string>;
};

export type Expanded = {
	readonly model: Model;
	/** How many nodes were written as other nodes. */
	readonly count: number;
	/** Why the first node that could not be expanded yet could not: something about it is not known. Null where there is none. */
	readonly waiting: GraphError | null;
};

const isStatic = (value: Value): boolean => value.shape.every((dim) => typeof dim === 'number');

function contextOf(node: Node, scope: Scope, g: GraphBuilder, opset: number): CompositeContext {
	const known = (name: string): Value => {
		const value = scope.values.get(name);
		if (value === undefined || !isStatic(value))
			throw new GraphError('unknown_shape', `the shape of "${name}" at node "${node.name}" (${node.op}) is not known before it runs`, name);
		return value;
	};
	const optional = (index: number): Value | null => {
		const name = node.inputs[index] ?? '';
		return name === '' ? null : known(name);
	};
	return {
		...readAttributes(node),
		node,
		optional,
		input: (index) => {
			const value = optional(index);
			if (value === null) throw new GraphError('malformed_model', `node "${node.name}" (${node.op}) lacks its input ${index}`, node.name);
			return value;
		},
		dtype: (index) => scope.values.get(node.inputs[index] ?? '')?.dtype ?? null,
		output: (index) => known(node.outputs[index] ?? ''),
		wants: (index) => scope.read.has(node.outputs[index] ?? ''),
		constant: (index) => {
			const tensor = scope.constants.get(node.inputs[index] ?? '');
			if (tensor === undefined)
				throw new GraphError('unknown_shape', `input ${index} of node "${node.name}" (${node.op}) must be a constant`, node.name);
			return Array.from(tensor.data as ArrayLike<number | bigint>, Number);
		},
		g,
		opset,
	};
}

/** One pass over a graph. */
class Walk {
	count = 0;
	waiting: GraphError | null = null;
	#expansions = 0;
	readonly #stem: string;
	readonly #opset: number;
	readonly #table: Expansions;

	constructor({ graph, opset }: Model, table: Expansions) {
		const names = [...namesOf(graph)];
		let stem = 'expand';
		while (names.some((name) => name.startsWith(stem))) stem += '.';
		this.#stem = stem;
		this.#opset = opset;
		this.#table = table;
	}

	/** The nodes that take the place of `node` and give its outputs; null where the node stays. */
	#expansionOf(node: Node, scope: Scope): Graph | null {
		const expansion = Object.hasOwn(this.#table, node.op) ? this.#table[node.op] : undefined;
		if (expansion === undefined) return null;
		const g = new GraphBuilder(`${this.#stem}${this.#expansions++}/`);
		try {
			const results = expansion(contextOf(node, scope, g, this.#opset));
			if (results === null) return null;
			const made = new Set(g.build(node.name).nodes.flatMap(({ outputs }) => outputs));
			const names = new Map<string, string>();
			node.outputs.forEach((name, i) => {
				const result = results[i];
				if (name === '' || result === null || result === undefined) return;
				// a result may be two outputs at once, or an input
				const own = made.has(result.name) && !names.has(result.name);
				names.set(own ? result.name : g.op('Identity', [result]).name, name);
			});
			return renamed(g.build(node.name), (name) => names.get(name) ?? name);
		} catch (error) {
			if (!(error instanceof GraphError) || error.code !== 'unknown_shape') throw error;
			this.waiting ??= error;
			return null;
		}
	}

	graph(graph: Graph, known: ReadonlyMap<string, Value>): Graph {
		const values = new Map([...known, ...graph.inputs.map((input) => [input.name, input] as const)]);
		for (const [name, { dtype, shape }] of graph.initializers) values.set(name, { name, dtype, shape });
		const read = new Set([...graph.nodes.flatMap(readsOf), ...graph.outputs.map(({ name }) => name)]);
		read.delete('');
		const scope = { values, constants: graph.initializers, read };
		const nodes: Node[] = [];
		const initializers = new Map(graph.initializers);
		for (const node of graph.nodes) {
			const expansion = this.#expansionOf(node, scope);
			if (expansion === null) {
				nodes.push(node);
				continue;
			}
			this.count++;
			nodes.push(...expansion.nodes);
			for (const [name, tensor] of expansion.initializers) initializers.set(name, tensor);
			for (const [name, value] of expansion.values) values.set(name, value);
		}
		return { ...graph, nodes, initializers };
	}
}

/**
 * The model with the nodes that `table` has an expansion of, composite ones unless given, written as the operators that they consist of, where the types of their inputs
 * are known. Bodies of control flow stay as they are.
 */
export function expand(model: Model, known: ReadonlyMap<string, Value>, table: Expansions = expansions): Expanded {
	const walk = new Walk(model, table);
	const graph = walk.graph(model.graph, known);
	return { model: { ...model, graph }, count: walk.count, waiting: walk.waiting };
}

/** Whether a graph, without regard to its bodies, has a node that `expand` may write as others. */
export const hasComposites = (graph: Graph, opset: number): boolean =>
	graph.nodes.some((node) => Object.hasOwn(opset > OPSET ? expansions : composites, node.op));
