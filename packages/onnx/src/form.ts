import { type Tensor, tensor } from '@steelyard/runtime';
import { withBodies } from './bodies.js';
import { valueOf } from './constant-nodes.js';
import type { Graph, Node } from './graph.js';
import { numbersOf } from './numbers.js';

export type FormContext = {
	readonly opset: number;
	/** Adds a constant to the graph and gives its name. */
	constant(values: Tensor): string;
	/** The numbers of a constant, by its name; null where the value is no constant. */
	numbers(name: string): number[] | null;
	/** A name that no value has. */
	fresh(): string;
};

/** Writes a node of one operator set as nodes of another. */
export type Form = (node: Node, context: FormContext) => Node | readonly Node[];
/** The operators whose nodes have another form in the other operator set. */
export type Forms = Readonly<Record<string, Form>>;

export const int = (value: number) => ({ type: 'int', value }) as const;
export const text = (value: string) => ({ type: 'string', value }) as const;
export const vector = (values: readonly number[]): Tensor => tensor('int64', [values.length], values);

type Rewriting = {
	readonly forms: Forms;
	/** The operator set of the nodes. */
	readonly opset: number;
	readonly fresh: () => string;
	/** The graph with more constants. */
	readonly withConstants: (graph: Graph, constants: ReadonlyMap<string, Tensor>) => Graph;
};

/** The graph with its nodes in other forms, also in its bodies. `outer` are the constants around it. */
export function formed(graph: Graph, rewriting: Rewriting, outer: ReadonlyMap<string, Tensor> = new Map()): Graph {
	const { forms, opset, fresh, withConstants } = rewriting;
	const known = new Map([...outer, ...graph.initializers]);
	for (const node of graph.nodes) {
		const value = node.op === 'Constant' ? valueOf(node) : null;
		if (value !== null) known.set(node.outputs[0] as string, value);
	}
	const made = new Map<string, Tensor>();
	const context: FormContext = {
		opset,
		fresh,
		constant: (values) => {
			const name = fresh();
			made.set(name, values);
			return name;
		},
		numbers: (name) => {
			const value = made.get(name) ?? known.get(name);
			return value === undefined ? null : Array.from({ length: value.data.length }, (_, i) => numbersOf(value)(i));
		},
	};
	const nodes = graph.nodes.flatMap((node) => {
		const form = Object.hasOwn(forms, node.op) ? forms[node.op] : undefined;
		return (form === undefined ? [node] : [form(node, context)].flat()).map((one) =>
			withBodies(one, (body) => formed(body, rewriting, new Map([...known, ...made]))),
		);
	});
	return withConstants({ ...graph, nodes }, made);
}

/** Makes up names that begin with `stem` and that none of `taken` has. */
export function freshNames(stem: string, taken: Iterable<string>): () => string {
	const all = new Set(taken);
	let count = 0;
	return () => {
		let name: string;
		do name = `${stem}${count++}`;
		while (all.has(name));
		return name;
	};
}
