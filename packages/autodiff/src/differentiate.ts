import {
	allValues,
	type Graph,
	GraphBuilder,
	GraphError,
	graphsWithin,
	type Node,
	readAttributes,
	readsOf,
	type Value,
} from '@steelyard/onnx';
import { isHalf } from './float-types.js';
import { withShortGelus } from './gelu.js';
import { gradientPaths } from './gradient-paths.js';
import { recomputing } from './recompute.js';
import type { Part, Rule, RuleContext } from './rule.js';
import { rules, zeros } from './rules/table.js';

export type Gradients = {
	/** The graph with the nodes of its backward pass; its only output is the loss. */
	readonly graph: Graph;
	/** The gradient of the loss by each value, by the name of the value; a constant of zeros of its shape where the loss does not depend on it. */
	readonly gradients: ReadonlyMap<string, Value>;
};

/** What the names in a graph mean, also those of the graph around it; and, for messages, the path from the graph to the loss. */
type Scope = { value(name: string): Value; constant(name: string): ArrayLike<number | bigint> | undefined; readonly onward: string };

const scopeOf = (graph: Graph, onward: string, outer?: Scope): Scope => {
	const known = allValues(graph);
	return {
		value: (name) => {
			const value = known.get(name) ?? outer?.value(name);
			if (value === undefined) throw new GraphError('malformed_model', `the graph has no value "${name}"`, name);
			return value;
		},
		constant: (name) => graph.initializers.get(name)?.data ?? (known.has(name) ? undefined : outer?.constant(name)),
		onward,
	};
};

/** The path of operators from `node` to one of the values `ends`, by which a message shows where an operator without a rule stands. */
function pathFrom(graph: Graph, node: Node, ends: readonly string[], onward: string): string {
	const path = [node.op];
	let at = node;
	while (!at.outputs.some((output) => ends.includes(output))) {
		const next = graph.nodes.find((candidate) => readsOf(candidate).some((name) => name !== '' && at.outputs.includes(name)));
		if (next === undefined || path.length > 30) break;
		path.push(next.op);
		at = next;
	}
	return `${path.join(' → ')} → ${onward}`;
}

/** What the rule of `node` sees. `active` are the names that need a gradient. */
function contextOf(
	node: Node,
	part: Part,
	scope: Scope,
	active: ReadonlySet<string>,
	gradientOf: (name: string) => Value | null,
	makers: ReadonlyMap<string, Node>,
): RuleContext {
	const inputs = readsOf(node).map((name) => (name === '' ? null : scope.value(name)));
	const outputs = node.outputs.map((name) => (name === '' ? null : scope.value(name)));
	const dys = node.outputs.map((name) => (name === '' ? null : gradientOf(name)));
	const known = (input: number): number[] | null => {
		const data = scope.constant(node.inputs[input] ?? '');
		return data === undefined ? null : Array.from(data, Number);
	};
	return {
		node,
		inputs,
		x: inputs[0] as Value,
		second: inputs[1] as Value,
		third: inputs[2] ?? null,
		y: outputs[0] as Value,
		dy: dys[0] as Value,
		outputs,
		dys,
		g: part.g,
		forward: part.forward,
		needs: readsOf(node).map((name) => active.has(name)),
		...readAttributes(node),
		known,
		constant: (input) => {
			const numbers = known(input);
			if (numbers === null)
				throw new GraphError('unsupported_model', `input ${input} of node "${node.name}" (${node.op}) must be a constant`, node.name);
			return numbers;
		},
		makerOf: (name) => makers.get(name),
		valueOf: scope.value,
		numbersOf: (name) => {
			const data = scope.constant(name);
			return data === undefined ? null : Array.from(data, Number);
		},
		backpropagate: (inner) => {
			const onward = pathFrom(
				part.graph,
				node,
				part.seeds.map(([name]) => name),
				scope.onward,
			);
			return backpropagate(inner, scopeOf(inner.graph, onward, scope));
		},
	};
}

/**
 * The gradients that a rule gives. Rules count on shapes that belong together. The runtime looks at that only where it runs a graph, so that a rule may be the
 * first to meet weights of another shape, or groups that do not divide the channels: whatever it then fails by is a fault of the graph.
 */
function gradientsOf(rule: Rule, context: RuleContext): readonly (Value | null)[] {
	try {
		return rule(context);
	} catch (error) {
		if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
		const { node, inputs } = context;
		const shapes = inputs.map((input) => (input === null ? 'none' : `[${input.shape.join(', ')}]`)).join(', ');
		throw Object.assign(
			new GraphError(
				'malformed_model',
				`no gradient could be made for node "${node.name}" (${node.op}), whose attributes and inputs, of the shapes ${shapes}, do not seem to belong together: ${error.message}`,
				node.name,
			),
			{ cause: error },
		);
	}
}

/** Walks from the seeds back through the nodes on a path to `wrt`, by the rule of each node. Gives the gradient of a value by its name, null where there is none. */
function backpropagate(part: Part, scope: Scope): (name: string) => Value | null {
	const { graph, g, seeds } = part;
	const active = gradientPaths(graph, part.wrt);
	const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
	// the gradient of a value that several nodes read is the sum of the gradients that they give
	const termsOf = new Map<string, Value[]>();
	const add = (name: string, gradient: Value): unknown => termsOf.set(name, [...(termsOf.get(name) ?? []), gradient]);
	const gradientOf = (name: string): Value | null => {
		const terms = termsOf.get(name);
		if (terms === undefined) return null;
		const total = terms.reduce((sum, term) => g.add(sum, term));
		termsOf.set(name, [total]);
		return total;
	};
	for (const [name, gradient] of seeds) add(name, gradient);
	for (const node of graph.nodes.toReversed()) {
		const reads = readsOf(node);
		if (Object.hasOwn(zeros, node.op) || !node.outputs.some((output) => termsOf.has(output)) || !reads.some((name) => active.has(name)))
			continue;
		const rule = Object.hasOwn(rules, node.op) ? rules[node.op] : undefined;
		if (rule === undefined)
			throw new GraphError(
				'unsupported_operator',
				`no gradient is known for the operator ${node.op} of node "${node.name}", on the path ${pathFrom(
					graph,
					node,
					seeds.map(([name]) => name),
					scope.onward,
				)}`,
				node.name,
			);
		gradientsOf(rule, contextOf(node, part, scope, active, gradientOf, makers)).forEach((gradient, i) => {
			const name = reads[i] as string;
			if (gradient !== null && active.has(name)) add(name, gradient);
		});
	}
	return gradientOf;
}

/** How to differentiate. */
export type DifferentiateOptions = {
	/** The name of a scalar value. */
	readonly loss: string;
	/** The names of the values whose gradients are wanted. */
	readonly wrt: readonly string[];
	/**
	 * What is kept of the forward pass for the backward pass. `none` (default): everything that it reads. `segments`: only what crosses between about √n segments of
	 * the forward pass; the rest is computed again, segment by segment, which takes less memory and up to one forward pass more of time (Chen et al. 2016). The
	 * gradients are the same to the bit.
	 */
	readonly recompute?: 'none' | 'segments';
};

/**
 * The rules are for float32 and float64: in 16 bits a product may overflow on the way back where the model itself does not. A value between two Casts, which rounds what
 * goes through it, may have 16 bits.
 */
function checkTypes(graph: Graph): void {
	for (const part of graphsWithin(graph)) {
		const between = new Set(part.nodes.filter(({ op }) => op === 'Cast').flatMap(({ outputs }) => outputs));
		for (const node of part.nodes) if (node.op !== 'Cast') for (const name of readsOf(node)) between.delete(name);
		for (const value of allValues(part).values())
			if (isHalf(value) && !between.has(value.name))
				throw new GraphError(
					'unsupported_model',
					`the value "${value.name}" is ${value.dtype}, expected float32 or float64; read the model with { widen: HALVES }, which brings it to float32`,
					value.name,
				);
	}
}

/**
 * Reverse-mode differentiation of a canonical graph: d loss / d value for every value of `wrt`, as further nodes of standard operators. Throws GraphError
 * `unsupported_operator` that names the node, its operator and the path to the loss, where an operator has no rule; `unsupported_model` where a value has
 * 16 bits that is not between two Casts.
 */
export function differentiate(given: Graph, { loss, wrt, recompute = 'none' }: DifferentiateOptions): Gradients {
	checkTypes(given);
	const graph = withShortGelus(given, [loss, ...wrt]);
	const scope = scopeOf(graph, loss);
	const seed = scope.value(loss);
	if (seed.shape.some((dim) => dim !== 1))
		throw new GraphError('unsupported_model', `the loss "${loss}" has the shape [${seed.shape}], expected a scalar`, loss);
	const sources = wrt.map(scope.value);

	const g = GraphBuilder.from(graph, 'backward/');
	const one = g.constant(seed.dtype, seed.shape as number[], [1]);
	const gradientOf = backpropagate({ graph, forward: g, g, seeds: [[loss, one]], wrt }, scope);
	const gradients = new Map(
		sources.map(({ name, dtype, shape }) => [name, gradientOf(name) ?? g.expand(g.scalar(0, dtype), shape as number[])]),
	);
	g.output(loss, seed);
	const built = g.build(graph.name);
	if (recompute === 'none') return { graph: built, gradients };
	// rules may have put other nodes in the place of some of the forward pass, but these give the same outputs
	const last = graph.nodes.at(-1)?.outputs ?? [];
	const forwardCount = 1 + built.nodes.findLastIndex(({ outputs }) => outputs.some((output) => output !== '' && last.includes(output)));
	return { graph: recomputing(built, forwardCount, g.nested()), gradients };
}
