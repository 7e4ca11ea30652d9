import { type Graph, type Node, namesOf, readAttributes, readsOf, type Value } from '@steelyard/onnx';
import type { RuleContext } from './rule.js';

/** The number that a constant of one element holds. */
function numberIn(graph: Graph, name: string | undefined): number | null {
	const tensor = graph.initializers.get(name ?? '');
	return tensor?.data.length === 1 ? Number(tensor.data[0]) : null;
}

/** A product of a value and a number: x·c or x/c. */
function multiple(graph: Graph, node: Node | undefined): { of: string; factor: number } | null {
	const [a, b] = node?.inputs ?? [];
	const number = numberIn(graph, b);
	if (a === undefined || b === undefined) return null;
	if (node?.op === 'Div') return number === null ? null : { of: a, factor: 1 / number };
	if (node?.op !== 'Mul') return null;
	const first = numberIn(graph, a);
	return number !== null ? { of: a, factor: number } : first !== null ? { of: b, factor: first } : null;
}

/** Equal within the rounding of float32. */
const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * Math.abs(b);

/** One GELU of a graph: y = x·½(1 + t), t = erf(s), s = x/√2; `chain` are the nodes behind t, of which the last gives y. */
type Gelu = { x: string; t: string; chain: Node[] };

/** Follows the only readers of t as long as they give (a·t + b)·xᵏ; a GELU has a = b = ½ and k = 1. */
function geluFrom(erf: Node, graph: Graph, makers: ReadonlyMap<string, Node>, readerOf: (name: string) => Node | null): Gelu | null {
	const s = makers.get(erf.inputs[0] as string);
	const inner = multiple(graph, s);
	if (s === undefined || inner === null || !near(inner.factor, Math.SQRT1_2)) return null;
	const x = inner.of;
	const t = erf.outputs[0] as string;
	const chain: Node[] = [];
	let [a, b, k] = [1, 0, 0];
	for (let at = t; ; ) {
		const node = readerOf(at);
		if (node === null) return null;
		const scaled = multiple(graph, node);
		const other = node.inputs.find((name) => name !== at);
		if (scaled?.of === at) [a, b] = [a * scaled.factor, b * scaled.factor];
		else if (node.op === 'Add' && k === 0 && numberIn(graph, other) !== null) b += numberIn(graph, other) as number;
		else if (node.op === 'Mul' && k === 0 && other !== undefined) {
			const times = other === x ? { of: x, factor: 1 } : multiple(graph, makers.get(other));
			if (times?.of !== x) return null;
			[a, b, k] = [a * times.factor, b * times.factor, 1];
		} else return null;
		chain.push(node);
		at = node.outputs[0] as string;
		if (k === 1 && near(a, 0.5) && near(b, 0.5)) return { x, t, chain };
	}
}

/**
 * The graph with every GELU, x·½(1 + erf(x/√2)), in whatever order its products were written, as x·HardSigmoid(erf(x/√2)) with α = β = ½, which computes ½(1 + t) in
 * one pass. That is exact, since t lies within ±1. The rule of Mul knows this form. A GELU stays as it is where others read a part of it, or where `kept` names one.
 */
export function withShortGelus(graph: Graph, kept: Iterable<string> = []): Graph {
	const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
	const readers = new Map<string, Node[]>();
	for (const node of graph.nodes) for (const name of readsOf(node)) readers.set(name, [...(readers.get(name) ?? []), node]);
	const outside = new Set([...graph.outputs.map(({ name }) => name), ...kept]);
	const readerOf = (name: string): Node | null => {
		const [one = null, ...others] = readers.get(name) ?? [];
		return others.length === 0 && !outside.has(name) ? one : null;
	};
	const taken = new Set([...namesOf(graph)]);
	const values = new Map(graph.values);
	const by = new Map<Node, Node[]>();
	for (const erf of graph.nodes) {
		const found = erf.op === 'Erf' ? geluFrom(erf, graph, makers, readerOf) : null;
		const [t, y] = [values.get(found?.t ?? ''), values.get(found?.chain.at(-1)?.outputs[0] ?? '')];
		if (found === null || t?.dtype !== 'float32' || t.shape.join() !== y?.shape.join()) continue;
		const { x, chain } = found;
		const [first, last] = [chain[0] as Node, chain.at(-1) as Node];
		let name = `${t.name}/cdf`;
		while (taken.has(name)) name += '_';
		taken.add(name);
		values.set(name, { ...t, name });
		const half = { type: 'float', value: 0.5 } as const;
		for (const node of chain) by.set(node, []);
		by.set(last, [
			{ ...first, op: 'HardSigmoid', inputs: [t.name], outputs: [name], attributes: { alpha: half, beta: half } },
			{ ...last, op: 'Mul', inputs: [x, name], attributes: {} },
		]);
	}
	return by.size === 0 ? graph : { ...graph, nodes: graph.nodes.flatMap((node) => by.get(node) ?? [node]), values };
}

/**
 * The gradient of x through the product y = x·Φ that `withShortGelus` writes: dy·(Φ + x·Φ′(x)), where x·Φ′(x) = s·exp(−s²)/√π of s = x/√2. Null for any other product.
 */
export function geluGradient({ x, second: cdf, dy, g, makerOf, valueOf, numbersOf, dys }: RuleContext): Value | null {
	const [gate, erf] = [makerOf(cdf.name), makerOf(makerOf(cdf.name)?.inputs[0] ?? '')];
	const inner = makerOf(erf?.inputs[0] ?? '');
	if (gate?.op !== 'HardSigmoid' || erf?.op !== 'Erf' || inner === undefined || dys.length !== 1) return null;
	const read = readAttributes(gate);
	const place = inner.inputs.indexOf(x.name);
	const factor = numbersOf(inner.inputs[1 - place] ?? '');
	if (place < 0 || factor?.length !== 1 || read.float('alpha', 0.2) !== 0.5 || read.float('beta', 0.5) !== 0.5) return null;
	const isRoot = inner.op === 'Mul' && near(factor[0] as number, Math.SQRT1_2);
	const isQuotient = inner.op === 'Div' && place === 0 && near(factor[0] as number, Math.SQRT2);
	const s = valueOf(inner.outputs[0] as string);
	if (!(isRoot || isQuotient) || s.shape.join() !== x.shape.join() || cdf.shape.join() !== x.shape.join()) return null;
	// exp(log(1/√π) − s²) saves the product with 1/√π
	const density = g.exp(g.sub(g.scalar(-Math.log(Math.PI) / 2, s.dtype), g.mul(s, s)));
	return g.mul(dy, g.add(cdf, g.mul(s, density)));
}
