import {
	bodiesOf,
	broadcastShapes,
	captured,
	elementCount,
	type Graph,
	type GraphBuilder,
	type Node,
	readsOf,
	renamedNode,
	staticShape,
	type Value,
	withoutUnused,
} from '@steelyard/onnx';
import { elementwise } from './elementwise.js';
import { elementwiseSteps } from './zero-gradient.js';

/**
 * Where a value of a backward body can be computed. `once`: outside, since no step changes it. `stacked`: outside, for all steps at once, on stacks [steps, …] of values
 * that the forward pass saved. `body`: in the steps of the backward pass, since it depends on a gradient, or no operator computes it on stacks.
 */
type Place = 'once' | 'stacked' | 'body';

/** The nodes of a backward body by their places; `body` is what is left of it, and `saved` what the forward pass has to save. */
export type Work = {
	readonly once: readonly Node[];
	readonly stacked: readonly Node[];
	readonly body: Graph;
	readonly saved: readonly string[];
};

/** What is known of a backward body. */
export type Setting = {
	/** Makes up the names of values. */
	readonly back: GraphBuilder;
	/** The names that change from step to step in the forward pass, and the nodes of its step. */
	readonly varying: ReadonlySet<string>;
	readonly forward: readonly Node[];
	/** The names of values of the forward step that are saved in any case. */
	readonly others: readonly string[];
	/** Whether a stack that the forward Scan has of the value anyway is in the order of the others, or in the reverse one; undefined where it has none. */
	stackedAs(name: string): 'others' | 'reverse' | undefined;
	/** A value of the forward step or of the backward body. */
	valueOf(name: string): Value | undefined;
};

/** Operators whose output has the shape of their first input, whatever that of the others. */
const ofFirstShape: ReadonlySet<string> = new Set(['Clip', 'PRelu']);

/**
 * Whether a node makes each number of its output of the numbers at the same place of its inputs, so that it can make those of all steps at once; `varies` says which of
 * its inputs change from step to step.
 */
const canStack = ({ op }: Node, varies: readonly boolean[]): boolean =>
	(Object.hasOwn(elementwise, op) || elementwiseSteps.has(op)) && !(ofFirstShape.has(op) && varies.lastIndexOf(true) > 0);

/** The place of each value that the body reads or makes. What it gives, and what a node with bodies makes, stays in it. */
function placesOf({ inputs, nodes, outputs }: Graph, { varying, stackedAs }: Setting): (name: string) => Place {
	const places = new Map<string, Place>(inputs.map(({ name }) => [name, 'body']));
	const placeOfForward = (name: string): Place => (!varying.has(name) ? 'once' : stackedAs(name) === 'reverse' ? 'body' : 'stacked');
	const placeOf = (name: string): Place => places.get(name) ?? placeOfForward(name);
	const given = new Set(outputs.map(({ name }) => name));
	for (const node of nodes) {
		const reads = readsOf(node).map(placeOf);
		const stays = reads.includes('body') || bodiesOf(node).length > 0 || node.outputs.some((output) => given.has(output));
		const varies = reads.map((place) => place === 'stacked');
		const place = stays || (varies.includes(true) && !canStack(node, varies)) ? 'body' : varies.includes(true) ? 'stacked' : 'once';
		for (const output of node.outputs) places.set(output, place);
	}
	return placeOf;
}

/** The name of a product, whichever of its factors stands first. */
const productKey = (factors: readonly string[]): string => factors.toSorted().join('\n');

/**
 * The body with its products in another order: of (gradient · p) · q, where p and q can be computed outside, p · q comes first, so that one product is left in the
 * body. That is done where nothing else reads gradient · p, and where p · q is no larger than the larger of the two. A product that the forward step makes anyway is
 * taken from there: with y = σ(…) and z = x·y, the gradient dz·x·y·(1 − y) of what goes into σ reads z.
 */
function regrouped(body: Graph, setting: Setting): Graph {
	const { back, forward, valueOf } = setting;
	const placeOf = placesOf(body, setting);
	const reads = [...body.nodes.flatMap(readsOf), ...body.outputs.map(({ name }) => name)];
	const values = new Map(body.values);
	const nodes: Node[] = [];
	const products = new Map<string, Value>();
	for (const { op, inputs, outputs } of forward) {
		const made = valueOf(outputs[0] as string);
		if (op === 'Mul' && made !== undefined) products.set(productKey(inputs), made);
	}
	/** p · q, null where that is too large. */
	const product = (p: Value, q: Value): Value | null => {
		const key = productKey([p.name, q.name]);
		const shape = broadcastShapes(p.shape, q.shape);
		if (elementCount({ ...p, shape }) > Math.max(elementCount(p), elementCount(q))) return null;
		const made = products.get(key) ?? back.fresh('Mul', p.dtype, shape);
		if (!products.has(key)) nodes.push({ name: made.name, op: 'Mul', inputs: [p.name, q.name], outputs: [made.name], attributes: {} });
		products.set(key, made);
		values.set(made.name, made);
		return made;
	};
	/** The products gradient · factor that a single node reads. */
	const parts = new Map<string, { readonly gradient: string; readonly factor: Value }>();
	for (const node of body.nodes) {
		const [output] = node.outputs as [string];
		const [gradient, ...others] = node.inputs.filter((name) => placeOf(name) === 'body');
		const known = valueOf(node.inputs.find((name) => placeOf(name) !== 'body') ?? '');
		if (node.op !== 'Mul' || gradient === undefined || others.length > 0 || known === undefined) {
			nodes.push(node);
			continue;
		}
		const inner = parts.get(gradient);
		const factor = inner === undefined ? null : product(inner.factor, known);
		const part = inner === undefined || factor === null ? { gradient, factor: known } : { gradient: inner.gradient, factor };
		nodes.push({ ...node, inputs: [part.gradient, part.factor.name] });
		if (reads.filter((name) => name === output).length === 1) parts.set(output, part);
	}
	return withoutUnused({ ...body, nodes, values });
}

/** Divides the nodes of the body; what could be stacked stays in it unless `isOutside`. */
function divided(body: Graph, setting: Setting, isOutside: boolean): Work {
	const { varying, forward, others, stackedAs, valueOf } = setting;
	const placeOf = placesOf(body, setting);
	const at = (place: Place): Node[] =>
		body.nodes.filter(({ outputs }) => placeOf(outputs.find((output) => output !== '') as string) === place);
	const once = at('once');
	const stacked = isOutside ? at('stacked') : [];
	const moved = new Set([...once, ...stacked]);
	const rest = { ...body, nodes: body.nodes.filter((node) => !moved.has(node)) };
	const made = new Set(stacked.flatMap(({ outputs }) => outputs));
	const saved = new Set([...others, ...stacked.flatMap(readsOf), ...captured(rest)].filter((name) => varying.has(name) && !made.has(name)));
	// what the forward step makes of saved values alone is not saved as well, but made of the stacks again
	const again: Node[] = [];
	for (const node of isOutside ? forward.toReversed() : []) {
		const [output] = node.outputs as [string];
		const varies = node.inputs.map((name) => varying.has(name));
		if (!saved.has(output) || stackedAs(output) !== undefined || !varies.includes(true) || !canStack(node, varies)) continue;
		const isThere = (name: string): boolean => stackedAs(name) === 'others' || (saved.has(name) && stackedAs(name) === undefined);
		if (!node.inputs.filter((_, i) => varies[i]).every(isThere)) continue;
		saved.delete(output);
		again.unshift(node);
	}
	const values = new Map([
		...body.values,
		...again.flatMap(({ outputs }) => outputs.map((name) => [name, valueOf(name) as Value] as const)),
	]);
	return { once, stacked: [...again, ...stacked], body: { ...rest, values }, saved: [...saved] };
}

/** How many numbers a step of the forward pass saves, and how many a step of the backward pass reads. */
function costOf({ stacked, body, saved }: Work, { varying, stackedAs, valueOf }: Setting): { saved: number; read: number } {
	const sum = (names: readonly string[]): number =>
		names.reduce((all, name) => all + elementCount((body.values.get(name) ?? valueOf(name)) as Value), 0);
	const made = new Set(stacked.flatMap(({ outputs }) => outputs));
	return {
		saved: sum(saved.filter((name) => stackedAs(name) === undefined)),
		read: sum(captured(body).filter((name) => varying.has(name) || made.has(name))),
	};
}

/**
 * Divides a backward body: what depends on no step, and what can be computed on stacks, leaves it, where the forward pass then saves no more numbers, and the backward
 * pass reads no more. A node costs time of its own beside that for each number; outside it is run once instead of once in each step.
 */
export function workOf(body: Graph, setting: Setting): Work {
	const inside = divided(body, setting, false);
	const outside = divided(regrouped(body, setting), setting, true);
	const [before, after] = [costOf(inside, setting), costOf(outside, setting)];
	return after.saved <= before.saved && after.read <= before.read ? outside : inside;
}

/** The node as it can stand in the graph of `g`, which gets the constants that it reads. */
const movedTo = (g: GraphBuilder, node: Node, constants: Graph['initializers']): Node =>
	renamedNode(node, (name) => {
		const constant = constants.get(name);
		return constant === undefined ? name : g.constant(constant.dtype, constant.shape, constant.data).name;
	});

const EMPTY: Graph = { name: '', nodes: [], inputs: [], outputs: [], initializers: new Map(), values: new Map() };

/** Adds the nodes `once` to `g`, whose values keep their names; `constants` are those of the bodies. */
export function addOnce(g: GraphBuilder, { once, body }: Work, constants: Graph['initializers']): void {
	const values = once.flatMap(({ outputs }) => outputs.flatMap((name) => body.values.get(name) ?? []));
	g.append({
		...EMPTY,
		nodes: once.map((node) => movedTo(g, node, constants)),
		values: new Map(values.map((value) => [value.name, value])),
	});
}

/** Adds the nodes `stacked` to `g`. `stackOf` gives the stack [steps, …] of a value of the forward step. Gives the stacks that the nodes make, by the names of the values of one step. */
export function addStacked(
	g: GraphBuilder,
	{ stacked, body }: Work,
	constants: Graph['initializers'],
	stackOf: (name: string) => Value | undefined,
): Map<string, Value> {
	const made = new Map<string, Value>();
	for (const node of stacked) {
		const output = body.values.get(node.outputs[0] as string) as Value;
		const rank = output.shape.length;
		/** The stack with 1 for the axes that the value does not have, but the value that it is broadcast with has. */
		const aligned = (name: string): string => {
			const stack = made.get(name) ?? stackOf(name);
			if (stack === undefined) return name;
			const [steps, ...slice] = staticShape(stack) as [number, ...number[]];
			return g.reshape(stack, [steps, ...Array<number>(rank - slice.length).fill(1), ...slice]).name;
		};
		const steps = node.inputs.flatMap((name) => (made.get(name) ?? stackOf(name))?.shape[0] ?? [])[0] as number;
		const whole = g.fresh(node.op, output.dtype, [steps, ...output.shape]);
		const at = { ...movedTo(g, node, constants), outputs: [whole.name] };
		g.append({ ...EMPTY, nodes: [{ ...at, inputs: at.inputs.map(aligned) }], values: new Map([[whole.name, whole]]) });
		made.set(output.name, whole);
	}
	return made;
}
