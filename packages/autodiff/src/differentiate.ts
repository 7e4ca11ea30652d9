import { allValues, type Graph, GraphBuilder, GraphError, type Node, type Value } from '@steelyard/onnx';
import { attributesOf, type RuleContext } from './rule.js';
import { rules, zeros } from './rules/table.js';

export type Gradients = {
	/** The graph with the nodes of its backward pass; its outputs are the loss alone. */
	readonly graph: Graph;
	/** Gradient of the loss by name of the value; zero (a constant of its shape) where the loss does not depend on it. */
	readonly gradients: ReadonlyMap<string, Value>;
};

/** Values that depend on `sources`, these among them. */
function dependents(graph: Graph, sources: readonly string[]): Set<string> {
	const found = new Set(sources);
	for (const node of graph.nodes)
		if (!(node.op in zeros) && node.inputs.some((input) => found.has(input))) for (const output of node.outputs) found.add(output);
	return found;
}

/** The operators from `node` on to the loss: what a message shows of where a missing rule stands. */
function pathToLoss(graph: Graph, node: Node, loss: string): string {
	const path = [node.op];
	let at = node;
	while (!at.outputs.includes(loss)) {
		const next = graph.nodes.find((candidate) => candidate.inputs.some((input) => at.outputs.includes(input)));
		if (next === undefined || path.length > 30) break;
		path.push(next.op);
		at = next;
	}
	return `${path.join(' → ')} → ${loss}`;
}

/**
 * Reverse-mode differentiation of a canonical graph: d loss / d value for every value of `wrt`, as more nodes of standard operators.
 * `loss` names a scalar value. Throws GraphError `unsupported_operator`, naming node, operator and the path to the loss, for an operator without a rule.
 */
export function differentiate(graph: Graph, { loss, wrt }: { loss: string; wrt: readonly string[] }): Gradients {
	const known = allValues(graph);
	const valueOf = (name: string): Value => {
		const value = known.get(name);
		if (value === undefined) throw new GraphError('malformed_model', `the graph has no value "${name}"`, name);
		return value;
	};
	if (valueOf(loss).shape.some((dim) => dim !== 1))
		throw new GraphError('unsupported_model', `the loss "${loss}" has the shape [${valueOf(loss).shape}], expected a scalar`, loss);

	const g = GraphBuilder.from(graph, 'backward/');
	const active = dependents(graph, wrt);
	const parts = new Map<string, Value[]>();
	const gradientOf = (name: string): Value | null => {
		const terms = parts.get(name);
		if (terms === undefined) return null;
		const total = terms.reduce((sum, term) => g.add(sum, term));
		parts.set(name, [total]);
		return total;
	};
	const seed = valueOf(loss);
	parts.set(loss, [g.constant(seed.dtype, seed.shape as number[], [1])]);

	for (const node of graph.nodes.toReversed()) {
		if (node.op in zeros || !node.outputs.some((output) => parts.has(output)) || !node.inputs.some((input) => active.has(input))) continue;
		const rule = rules[node.op];
		if (rule === undefined)
			throw new GraphError(
				'unsupported_operator',
				`no gradient is known for the operator ${node.op} of node "${node.name}", on the path ${pathToLoss(graph, node, loss)}`,
				node.name,
			);
		const inputs = node.inputs.map((name) => (name === '' ? null : valueOf(name)));
		const outputs = node.outputs.map((name) => (name === '' ? null : valueOf(name)));
		const dys = node.outputs.map(gradientOf);
		const context: RuleContext = {
			node,
			inputs,
			a: inputs[0] as Value,
			b: inputs[1] as Value,
			c: inputs[2] ?? null,
			y: outputs[0] as Value,
			dy: dys[0] as Value,
			outputs,
			dys,
			g,
			needs: node.inputs.map((name) => active.has(name)),
			...attributesOf(node),
			constant: (input) => {
				const data = graph.initializers.get(node.inputs[input] ?? '')?.data;
				if (data === undefined)
					throw new GraphError('unsupported_model', `input ${input} of node "${node.name}" (${node.op}) must be a constant`, node.name);
				return Array.from(data as ArrayLike<number | bigint>, Number);
			},
		};
		rule(context).forEach((gradient, i) => {
			const name = node.inputs[i] as string;
			if (gradient !== null && active.has(name)) parts.set(name, [...(parts.get(name) ?? []), gradient]);
		});
	}

	const gradients = new Map(
		wrt.map((name) => [name, gradientOf(name) ?? g.expand(g.scalar(0, valueOf(name).dtype), valueOf(name).shape as number[])]),
	);
	g.output(loss, seed);
	return { graph: g.build(graph.name), gradients };
}
