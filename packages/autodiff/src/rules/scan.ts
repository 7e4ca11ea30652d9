import { type Attribute, bodiesOf, captured, type Graph, type Node, readsOf, staticShape, type Value } from '@steelyard/onnx';
import { dependents, isFloat } from '../dependents.js';
import type { Rule, RuleContext } from '../rule.js';
import { asOutputs, zerosOf } from './bodies.js';

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
 * gradients of the states and the sums, so far, of those of captured values. What the backward pass reads of the forward one, a step of the forward Scan
 * saves: the Scan gets these values as further scan outputs.
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

	const toStates = carried.map(({ before }) => gradientOf(before.name) ?? zerosOf(back, before));
	const toScans = scans.flatMap((stack) => {
		const gradient = active.has(stack.slice.name) ? gradientOf(stack.slice.name) : null;
		return gradient === null ? [] : [{ stack, gradient }];
	});
	const toOuter = reads.slice(node.inputs.length).flatMap((name) => {
		const gradient = active.has(name) ? gradientOf(name) : null;
		if (gradient === null) return [];
		const before = back.fresh('sum', gradient.dtype, gradient.shape);
		return [{ name, before, after: back.add(before, gradient) }];
	});
	const outputs = asOutputs(back, [...toStates, ...toOuter.map(({ after }) => after), ...toScans.map(({ gradient }) => gradient)]);

	// what the backward pass reads of the forward one
	const walked = ahead.build(body.name);
	const given = new Set([...states.map(({ before }) => before.name), ...walked.nodes.flatMap((one) => one.outputs)]);
	const states2 = [...carried.map(({ dy }) => dy), ...toOuter.map(({ before }) => before)];
	const slices = flowing.map(({ stack }) => backwards(stack));
	const saved: Stack[] = [];
	const wanted = captured({ ...back.build(''), inputs: [...states2, ...slices.map(({ slice }) => slice)], outputs });
	const save = wanted.filter((name) => given.has(name) && !stacks.some(({ whole, slice }) => slice.name === name && whole.name !== ''));
	const copies = asOutputs(
		ahead,
		save.map((name) => ahead.value(name)),
		body.outputs,
	);
	for (const name of wanted) {
		const constant = walked.initializers.get(name);
		const known = [...scans, ...stacks].find(({ slice, whole }) => slice.name === name && whole.name !== '');
		if (constant !== undefined) back.initializer(name, constant);
		else if (known !== undefined) slices.push(backwards(known));
		else if (given.has(name)) {
			const slice = ahead.value(name);
			const whole = forward.fresh('saved', slice.dtype, stacked(slice, 0, steps));
			saved.push({ whole, slice: copies[save.indexOf(name)] as Value, axis: 0, direction: 0 });
			slices.push({ whole, slice, axis: 0, direction: 1 });
		}
	}
	// a Scan needs something to walk along
	const [walk] = scans as [Stack];
	if (slices.length === 0) slices.push({ ...backwards(walk), slice: back.fresh('unused', walk.slice.dtype, walk.slice.shape) });
	saving(context, { ...ahead.build(body.name), outputs: body.outputs }, saved);

	const finals = states2.map(({ dtype, shape }) => g.fresh('Scan', dtype, shape));
	const wholes = toScans.map(({ stack }) => g.fresh('Scan', stack.whole.dtype, stack.whole.shape));
	const starts = [...carried.map(({ last, before }) => last ?? zerosOf(g, before)), ...toOuter.map(({ before }) => zerosOf(g, before))];
	g.node('Scan', [...starts, ...slices.map(({ whole }) => whole)], [...finals, ...wholes], {
		body: { type: 'graph', value: { ...back.build(body.name), inputs: [...states2, ...slices.map(({ slice }) => slice)], outputs } },
		num_scan_inputs: slices.length,
		scan_input_axes: slices.map(({ axis }) => axis),
		scan_input_directions: slices.map(({ direction }) => direction),
		...(wholes.length === 0
			? {}
			: {
					scan_output_axes: toScans.map(({ stack }) => stack.axis),
					scan_output_directions: toScans.map(({ stack }) => 1 - stack.direction),
				}),
	});
	return reads.map((name, i) => {
		if (i >= node.inputs.length) {
			const at = toOuter.findIndex((one) => one.name === name);
			return at < 0 ? null : (finals[carried.length + at] as Value);
		}
		const of = (body.inputs[i] as Value).name;
		if (i < states.length) return finals[carried.findIndex(({ before }) => before.name === of)] ?? null;
		return wholes[toScans.findIndex(({ stack }) => stack.slice.name === of)] ?? null;
	});
};
