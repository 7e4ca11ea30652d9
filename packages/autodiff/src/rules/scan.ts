import {
	type Attribute,
	bodiesOf,
	captured,
	type Graph,
	type Node,
	readsOf,
	staticShape,
	type Value,
	withoutUnused,
} from '@steelyard/onnx';
import { dependents, isFloat } from '../dependents.js';
import type { Rule, RuleContext } from '../rule.js';
import { asOutputs, zerosOf } from './bodies.js';
import { type Operand, sumOfProducts, termsOf } from './products.js';

/** What goes into or comes out of a Scan slice by slice: the whole, its slice in the body, the axis and the direction of the walk (1: from the end). */
type Stack = { readonly whole: Value; readonly slice: Value; readonly axis: number; readonly direction: number };

/** The slices of a stack in the opposite order of the steps. */
const backwards = (stack: Stack): Stack => ({ ...stack, direction: 1 - stack.direction });

const stacked = (slice: Value, axis: number, steps: number): number[] => staticShape(slice).toSpliced(axis, 0, steps);

function partsOf({ node, inputs, int, ints }: RuleContext) {
	const body = (bodiesOf(node)[0] as [string, Graph])[1];
	const count = node.inputs.length - int('num_scan_inputs', 0);
	const place = (kind: 'input' | 'output', i: number, rank: number) => {
		const axis = ints(`scan_${kind}_axes`)?.[i] ?? 0;
		return { axis: axis < 0 ? axis + rank : axis, direction: ints(`scan_${kind}_directions`)?.[i] ?? 0 };
	};
	const states = body.inputs.slice(0, count).map((before, i) => ({ before, after: body.outputs[i] as Value }));
	const scans = body.inputs.slice(count).map((slice, i): Stack => {
		const whole = inputs[count + i] as Value;
		return { whole, slice, ...place('input', i, whole.shape.length) };
	});
	const { whole, axis } = scans[0] as Stack;
	const steps = staticShape(whole)[axis] as number;
	const stacks = body.outputs.slice(count).map((slice, i): Stack => {
		const to = place('output', i, slice.shape.length + 1);
		return { whole: { ...slice, name: node.outputs[count + i] ?? '', shape: stacked(slice, to.axis, steps) }, slice, ...to };
	});
	return { body, states, scans, stacks, steps };
}

/** Names in the body that need a gradient: `sources`, and every state that varies with them in some step. */
function activeNames(body: Graph, states: ReadonlyArray<{ before: Value; after: Value }>, sources: readonly string[]): Set<string> {
	const active = new Set(sources);
	for (;;) {
		const reached = dependents(body, active);
		const more = states.filter(({ before, after }) => isFloat(before) && reached.has(after.name) && !active.has(before.name));
		if (more.length === 0) return active;
		for (const { before } of more) active.add(before.name);
	}
}

/** A list attribute of the scan outputs, made longer by outputs at its default. */
const longer = (node: Node, name: string, by: number): Record<string, Attribute> => {
	const attribute = node.attributes[name];
	return attribute?.type === 'ints' ? { [name]: { type: 'ints', value: [...attribute.value, ...Array<number>(by).fill(0)] } } : {};
};

/** Puts in the place of a Scan the same with a stack more of each value `saved` of its body. */
function saving({ node, forward }: RuleContext, body: Graph, saved: readonly Stack[]): void {
	const outputs = body.outputs.map((slice, i) => node.outputs[i] || forward.fresh('unused', slice.dtype, slice.shape).name);
	const next: Node = {
		...node,
		outputs: [...outputs, ...saved.map(({ whole }) => whole.name)],
		attributes: {
			...node.attributes,
			...longer(node, 'scan_output_axes', saved.length),
			...longer(node, 'scan_output_directions', saved.length),
			body: { type: 'graph', value: { ...body, outputs: [...body.outputs, ...saved.map(({ slice }) => slice)] } },
		},
	};
	const values = new Map(saved.map(({ whole }) => [whole.name, whole]));
	forward.replace(node, { name: node.name, nodes: [next], inputs: [], outputs: [], initializers: new Map(), values });
}

/**
 * The gradient of a Scan is a Scan through the same steps from the last to the first. Its body is the backward pass of the body; its states are the
 * gradients of the states and the sums, so far, of those of captured values. Where such a gradient is a product of matrices, its operands leave the Scan as
 * stacks, and one product outside sums over all steps. What the backward pass reads of the forward one, a step of the forward Scan saves: the Scan gets these
 * values as further scan outputs.
 */
export const scan: Rule = (context) => {
	const { node, inputs, dys, g, forward, needs } = context;
	const { body, states, scans, stacks, steps } = partsOf(context);
	const reads = readsOf(node);
	const needed = (name: string, i: number): string[] =>
		needs[i] && isFloat(inputs[i]) ? [i < node.inputs.length ? (body.inputs[i] as Value).name : name] : [];
	const active = activeNames(body, states, reads.flatMap(needed));

	const ahead = forward.nested();
	for (const { name, dtype, shape } of body.inputs) ahead.input(name, dtype, shape);
	ahead.append(body);
	const back = g.nested();
	const carried = states.flatMap(({ before, after }, i) =>
		active.has(before.name) ? [{ before, after, dy: back.fresh('state', before.dtype, before.shape), last: dys[i] ?? null }] : [],
	);
	const flowing = stacks.flatMap((stack, i) => {
		const whole = dys[states.length + i] ?? null;
		return whole === null
			? []
			: [{ of: stack, stack: { ...stack, whole, slice: back.fresh('slice', stack.slice.dtype, stack.slice.shape) } }];
	});
	const gradientOf = context.backpropagate({
		graph: body,
		forward: ahead,
		g: back,
		seeds: [
			...carried.map(({ after, dy }) => [after.name, dy] as const),
			...flowing.map(({ of, stack }) => [of.slice.name, stack.slice] as const),
		],
		wrt: [...active],
	});

	const gradients = new Map(
		[...active].flatMap((name) => {
			const gradient = gradientOf(name);
			return gradient === null ? [] : [[name, gradient] as const];
		}),
	);
	const walked = ahead.build(body.name);
	const made = back.build(body.name);
	const given = new Set([...body.inputs.map(({ name }) => name), ...walked.nodes.flatMap((one) => one.outputs)]);
	const inStep = new Map(
		[
			...[...body.inputs, ...walked.values.values(), ...made.values.values()],
			...[...carried.map(({ dy }) => dy), ...flowing.map(({ stack }) => stack.slice)],
		].map((value) => [value.name, value]),
	);
	const known = (name: string): Stack | undefined =>
		[...scans, ...stacks].find(({ slice, whole }) => slice.name === name && whole.name !== '');

	const toStates = carried.map(({ before }) => gradients.get(before.name) ?? zerosOf(back, before));
	const sums = reads.slice(node.inputs.length).flatMap((name) => {
		const gradient = gradients.get(name);
		return gradient === undefined ? [] : [{ name, ...termsOf(back, gradient, (one) => inStep.get(one)) }];
	});
	const toOuter = sums.flatMap(({ name, rest: [first, ...more] }) => {
		if (first === undefined) return [];
		const before = back.fresh('sum', first.dtype, first.shape);
		return [{ name, before, after: [first, ...more].reduce((sum, term) => back.add(sum, term), before) }];
	});
	// what leaves the backward pass step by step: gradients of scanned inputs, and operands that the forward pass does not have in stacks from the first step on
	const toScans = scans.flatMap((stack): Stack[] => {
		const gradient = gradients.get(stack.slice.name);
		if (gradient === undefined) return [];
		const { dtype, shape } = stack.whole;
		return [{ ...backwards(stack), whole: g.fresh('Scan', dtype, shape), slice: gradient }];
	});
	const leaving = [...toScans];
	const same =
		({ value, axis }: Operand) =>
		(stack: Stack): boolean =>
			stack.slice.name === value.name && stack.axis === axis && stack.direction === 1;
	const operands = sums.flatMap(({ products }) => products.flatMap(({ left, right }) => [left, right]));
	const ofForward = ({ value: { name } }: Operand): boolean => given.has(name) && known(name)?.direction !== 1;
	for (const operand of operands) {
		const { value, axis } = operand;
		if (!ofForward(operand) && !leaving.some(same(operand)))
			leaving.push({ whole: g.fresh('Scan', value.dtype, stacked(value, axis, steps)), slice: value, axis, direction: 1 });
	}
	const outputs = asOutputs(back, [...toStates, ...toOuter.map(({ after }) => after), ...leaving.map(({ slice }) => slice)]);

	// what the backward pass reads of the forward one
	const states2 = [...carried.map(({ dy }) => dy), ...toOuter.map(({ before }) => before)];
	const slices = flowing.map(({ stack }) => backwards(stack));
	const inputsOf = (all: readonly Stack[]): Value[] => [...states2, ...all.map(({ slice }) => slice)];
	const wanted = captured(withoutUnused({ ...back.build(body.name), inputs: inputsOf(slices), outputs }));
	const save = [...new Set([...wanted, ...operands.filter(ofForward).map(({ value }) => value.name)])].filter(
		(name) => given.has(name) && known(name) === undefined,
	);
	const copies = asOutputs(
		ahead,
		save.map((name) => ahead.value(name)),
		body.outputs,
	);
	const saved = copies.map(
		(slice): Stack => ({ whole: forward.fresh('saved', slice.dtype, stacked(slice, 0, steps)), slice, axis: 0, direction: 0 }),
	);
	const ahead2 = (name: string): Stack | undefined => known(name) ?? saved[save.indexOf(name)];
	for (const name of wanted) {
		const constant = walked.initializers.get(name);
		const stack = ahead2(name);
		if (constant !== undefined) back.initializer(name, constant);
		else if (stack !== undefined) slices.push({ ...backwards(stack), slice: ahead.value(name) });
	}
	// a Scan needs something to walk along
	const [walk] = scans as [Stack];
	if (slices.length === 0) slices.push({ ...backwards(walk), slice: back.fresh('unused', walk.slice.dtype, walk.slice.shape) });
	saving(context, { ...ahead.build(body.name), outputs: body.outputs }, saved);

	const finals = states2.map(({ dtype, shape }) => g.fresh('Scan', dtype, shape));
	const starts = [...carried.map(({ last, before }) => last ?? zerosOf(g, before)), ...toOuter.map(({ before }) => zerosOf(g, before))];
	g.node('Scan', [...starts, ...slices.map(({ whole }) => whole)], [...finals, ...leaving.map(({ whole }) => whole)], {
		body: { type: 'graph', value: withoutUnused({ ...back.build(body.name), inputs: inputsOf(slices), outputs }) },
		num_scan_inputs: slices.length,
		scan_input_axes: slices.map(({ axis }) => axis),
		scan_input_directions: slices.map(({ direction }) => direction),
		...(leaving.length === 0
			? {}
			: { scan_output_axes: leaving.map(({ axis }) => axis), scan_output_directions: leaving.map(({ direction }) => direction) }),
	});

	const stackOf = (operand: Operand): Value => {
		const { whole, axis } = leaving.find(same(operand)) ?? (ahead2(operand.value.name) as Stack);
		if (axis === operand.axis) return whole;
		const others = whole.shape.map((_, i) => i).filter((i) => i !== axis);
		return g.transpose(whole, others.toSpliced(operand.axis, 0, axis));
	};
	const toCaptured = new Map(
		sums.map(({ name, products }) => {
			const at = toOuter.findIndex((one) => one.name === name);
			const terms = products.map((product) => sumOfProducts(g, product, stackOf));
			const all = at < 0 ? terms : [finals[carried.length + at] as Value, ...terms];
			return [name, all.reduce((sum, term) => g.add(sum, term))];
		}),
	);
	return reads.map((name, i) => {
		if (i >= node.inputs.length) return toCaptured.get(name) ?? null;
		const of = (body.inputs[i] as Value).name;
		if (i < states.length) return finals[carried.findIndex(({ before }) => before.name === of)] ?? null;
		return toScans[scans.findIndex(({ slice }) => slice.name === of)]?.whole ?? null;
	});
};
