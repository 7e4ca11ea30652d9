import { captured, type Graph, type GraphBuilder, readsOf, type Value, withoutUnused } from '@steelyard/onnx';
import type { Rule, RuleContext } from '../rule.js';
import { asOutputs, zerosOf } from './bodies.js';
import { type Operand, type Product, sumOfProducts, termsOf } from './products.js';
import { backwards, partsOf, type ScanParts, type Stack, saveStacks, stacked, stackNamed } from './scan-parts.js';
import { type GradientState, type Step, stepOf } from './scan-step.js';

/** What a step adds to the gradient of the captured value `of`: the sum of products of matrices and of `rest`, each of its shape. */
type Addend = { readonly of: string; readonly products: readonly Product[]; readonly rest: readonly Value[] };

const addendsOf = ({ back, gradients, values }: Step, names: readonly string[]): Addend[] =>
	names.flatMap((of) => {
		const gradient = gradients.get(of);
		return gradient === undefined ? [] : [{ of, ...termsOf(back, gradient, (name) => values.get(name)) }];
	});

/** The states that sum over the steps what is not a product of matrices. */
const runningSums = (back: GraphBuilder, addends: readonly Addend[]): GradientState[] =>
	addends.flatMap(({ of, rest: [first, ...more] }) => {
		if (first === undefined) return [];
		const before = back.fresh('sum', first.dtype, first.shape);
		return [{ of, before, after: [first, ...more].reduce((sum, term) => back.add(sum, term), before), start: null }];
	});

/** The gradients of the scanned inputs that have one, each of the shape of its input; `of` is its slice in the body. */
const scannedGradients = (g: GraphBuilder, { gradients }: Step, scans: readonly Stack[]): (Stack & { readonly of: string })[] =>
	scans.flatMap((stack) => {
		const slice = gradients.get(stack.slice.name);
		const { dtype, shape } = stack.whole;
		return slice === undefined ? [] : [{ ...backwards(stack), of: stack.slice.name, whole: g.fresh('Scan', dtype, shape), slice }];
	});

/** The stack of an operand that the backward Scan gives in the order of the forward steps, along the axis that the product sums over. */
const leavingStack = (leaving: readonly Stack[], { value, axis }: Operand): Stack | undefined =>
	leaving.find((stack) => stack.slice.name === value.name && stack.axis === axis && stack.direction === 1);

/** The stacks of the operands, [steps, n, m] or [n, steps, m], that are not among `leaving` already. */
function operandStacks(g: GraphBuilder, operands: readonly Operand[], leaving: readonly Stack[], steps: number): Stack[] {
	const more: Stack[] = [];
	for (const operand of operands) {
		const { value, axis } = operand;
		if (leavingStack([...leaving, ...more], operand) === undefined)
			more.push({ whole: g.fresh('Scan', value.dtype, stacked(value, axis, steps)), slice: value, axis, direction: 1 });
	}
	return more;
}

/** The stacks that the forward Scan has yet to save of the values `names` of its body, [steps, ...value]. */
const missingStacks = (
	forward: GraphBuilder,
	{ ahead, given }: Step,
	has: readonly Stack[],
	names: Iterable<string>,
	steps: number,
): Stack[] =>
	[...names]
		.filter((name) => given.has(name) && stackNamed(has, name) === undefined)
		.map((name) => {
			const slice = ahead.value(name);
			return { whole: forward.fresh('saved', slice.dtype, stacked(slice, 0, steps)), slice, axis: 0, direction: 0 };
		});

/** What the backward Scan walks along: the arriving gradients and, from the last step to the first, the stacks of the values `wanted`. Constants it gets whole. */
function walkedStacks(
	{ back, arriving, constants }: Step,
	wanted: readonly string[],
	has: readonly Stack[],
	scans: readonly Stack[],
): Stack[] {
	const walked = [...arriving];
	for (const name of wanted) {
		const constant = constants.get(name);
		const stack = stackNamed(has, name);
		if (constant !== undefined) back.initializer(name, constant);
		else if (stack !== undefined) walked.push(backwards(stack));
	}
	if (walked.length > 0) return walked;
	// a Scan needs something to walk along
	const any = scans[0] as Stack;
	return [{ ...backwards(any), slice: back.fresh('unused', any.slice.dtype, any.slice.shape) }];
}

/** Adds the backward Scan. Gives its states after the last of its steps. */
function addScan(
	g: GraphBuilder,
	body: Graph,
	states: readonly GradientState[],
	walked: readonly Stack[],
	leaving: readonly Stack[],
): Value[] {
	const finals = states.map(({ before: { dtype, shape } }) => g.fresh('Scan', dtype, shape));
	if (finals.length + leaving.length === 0) return finals; // no step uses what a gradient is asked of
	const starts = states.map(({ start, before }) => start ?? zerosOf(g, before));
	g.node('Scan', [...starts, ...walked.map(({ whole }) => whole)], [...finals, ...leaving.map(({ whole }) => whole)], {
		body: { type: 'graph', value: body },
		num_scan_inputs: walked.length,
		scan_input_axes: walked.map(({ axis }) => axis),
		scan_input_directions: walked.map(({ direction }) => direction),
		...(leaving.length === 0
			? {}
			: { scan_output_axes: leaving.map(({ axis }) => axis), scan_output_directions: leaving.map(({ direction }) => direction) }),
	});
	return finals;
}

/** The whole of a stack with its steps at `axis`. */
function wholeAlong(g: GraphBuilder, { whole, axis: from }: Stack, axis: number): Value {
	if (from === axis) return whole;
	const others = whole.shape.map((_, i) => i).filter((i) => i !== from);
	return g.transpose(whole, others.toSpliced(axis, 0, from));
}

/** Adds the backward Scan and has the forward one save what it and `others` ask for. Gives its final states, and the stacks that the forward Scan then has. */
function backwardScan(
	context: RuleContext,
	parts: ScanParts,
	step: Step,
	{ states, leaving, others }: { states: readonly GradientState[]; leaving: readonly Stack[]; others: readonly string[] },
): { finals: Value[]; kept: Stack[] } {
	const { g, forward } = context;
	const { back } = step;
	const outputs = asOutputs(back, [...states.map(({ after }) => after), ...leaving.map(({ slice }) => slice)]);
	const bodyAlong = (walked: readonly Stack[]): Graph => {
		const inputs = [...states.map(({ before }) => before), ...walked.map(({ slice }) => slice)];
		return withoutUnused({ ...back.build(parts.body.name), inputs, outputs });
	};
	const wanted = captured(bodyAlong(step.arriving));
	const has = [...parts.scans, ...parts.stacks];
	const saved = missingStacks(forward, step, has, new Set([...wanted, ...others]), parts.steps);
	const kept = [...has, ...saved];
	const walked = walkedStacks(step, wanted, kept, parts.scans);
	saveStacks(context, parts, step.ahead, saved);
	return { finals: addScan(g, bodyAlong(walked), states, walked, leaving), kept };
}

/** The gradients of captured values, each of the shape of its value: the final sum, where there is one, and the products summed over all steps. */
const capturedGradients = (
	g: GraphBuilder,
	addends: readonly Addend[],
	sums: ReadonlyMap<string, Value>,
	stackOf: (operand: Operand) => Value,
): [string, Value][] =>
	addends.map(({ of, products }) => {
		const sum = sums.get(of);
		const terms = products.map((product) => sumOfProducts(g, product, stackOf));
		return [of, (sum === undefined ? terms : [sum, ...terms]).reduce((all, term) => g.add(all, term))];
	});

/**
 * The gradient of a Scan is a Scan through the same steps from the last to the first. Its body is the backward pass of the body; its states are the
 * gradients of the states and the sums, so far, of those of captured values. Where such a gradient is a product of matrices, its operands leave the Scan as
 * stacks, and one product outside sums over all steps. What the backward pass reads of the forward one, a step of the forward Scan saves: the Scan gets these
 * values as further scan outputs.
 */
export const scan: Rule = (context) => {
	const { node, g } = context;
	const parts = partsOf(context);
	const { body, scans, stacks, steps } = parts;
	const step = stepOf(context, parts);

	const addends = addendsOf(step, readsOf(node).slice(node.inputs.length));
	const states = [...step.states, ...runningSums(step.back, addends)];
	const toScans = scannedGradients(g, step, scans);
	// the forward Scan gives its own operands, but those whose stack it has in the opposite order of the steps
	const ofForward = ({ value: { name } }: Operand): boolean =>
		step.given.has(name) && stackNamed([...scans, ...stacks], name)?.direction !== 1;
	const operands = addends.flatMap(({ products }) => products.flatMap(({ left, right }) => [left, right]));
	const ofBackward = operands.filter((operand) => !ofForward(operand));
	const leaving = [...toScans, ...operandStacks(g, ofBackward, toScans, steps)];

	const others = operands.filter(ofForward).map(({ value }) => value.name);
	const { finals, kept } = backwardScan(context, parts, step, { states, leaving, others });
	const stackOf = (operand: Operand): Value =>
		wholeAlong(g, leavingStack(leaving, operand) ?? (stackNamed(kept, operand.value.name) as Stack), operand.axis);
	const toStates = new Map(states.map(({ of }, i) => [of, finals[i] as Value]));
	const gradients = new Map([
		...toStates,
		...toScans.map(({ of, whole }) => [of, whole] as const),
		...capturedGradients(g, addends, toStates, stackOf),
	]);
	return readsOf(node).map((name, i) => gradients.get(i < node.inputs.length ? (body.inputs[i] as Value).name : name) ?? null);
};
