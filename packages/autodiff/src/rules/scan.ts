import { captured, type Graph, type GraphBuilder, readsOf, type Value, withoutUnused } from '@steelyard/onnx';
import type { Rule, RuleContext } from '../rule.js';
import { asOutputs, zerosOf } from './bodies.js';
import { type Operand, type Product, sumOfProducts, termsOf } from './products.js';
import { backwards, outputPlaces, partsOf, type ScanParts, type Stack, saveResiduals, stackedShape, stackOf } from './scan-parts.js';
import { type GradientCarry, type Step, stepOf } from './scan-step.js';
import { addOnce, addStacked, workOf } from './scan-work.js';

/** What a step adds to the gradient of the captured value `of`: the sum of products of matrices and of `rest`, each of its shape. */
type Addend = { readonly of: string; readonly products: readonly Product[]; readonly rest: readonly Value[] };

const addendsOf = ({ back, gradients, values }: Step, names: readonly string[]): Addend[] =>
	names.flatMap((of) => {
		const gradient = gradients.get(of);
		return gradient === undefined ? [] : [{ of, ...termsOf(back, gradient, (name) => values.get(name)) }];
	});

/** The carries that sum over the steps what is not a product of matrices. */
const runningSums = (back: GraphBuilder, addends: readonly Addend[]): GradientCarry[] =>
	addends.flatMap(({ of, rest: [first, ...more] }) => {
		if (first === undefined) return [];
		const before = back.fresh('sum', first.dtype, first.shape);
		return [{ of, before, after: [first, ...more].reduce((sum, term) => back.add(sum, term), before), start: null }];
	});

/** The gradients of the stacked inputs that have one, as stacked outputs of the backward Scan; `of` is the slice of the input in the body. */
const inputGradients = (g: GraphBuilder, { gradients }: Step, stackedInputs: readonly Stack[]): (Stack & { readonly of: string })[] =>
	stackedInputs.flatMap((stack) => {
		const slice = gradients.get(stack.slice.name);
		const { dtype, shape } = stack.whole;
		return slice === undefined ? [] : [{ ...backwards(stack), of: stack.slice.name, whole: g.fresh('Scan', dtype, shape), slice }];
	});

/** The stacked output of the backward Scan that holds an operand in the order of the residuals, along the axis that the product sums over. */
const operandIn = (outputs: readonly Stack[], { value, axis }: Operand, { direction }: ScanParts): Stack | undefined =>
	outputs.find((stack) => stack.slice.name === value.name && stack.axis === axis && stack.direction === 1 - direction);

/** Further stacked outputs of the backward Scan: one per operand, [steps, n, m] or [n, steps, m], that is not among its `outputs` already. */
function operandStacks(g: GraphBuilder, operands: readonly Operand[], outputs: readonly Stack[], parts: ScanParts): Stack[] {
	const more: Stack[] = [];
	for (const operand of operands) {
		const { value, axis } = operand;
		const direction = 1 - parts.direction;
		if (operandIn([...outputs, ...more], operand, parts) === undefined)
			more.push({ whole: g.fresh('Scan', value.dtype, stackedShape(value, axis, parts.steps)), slice: value, axis, direction });
	}
	return more;
}

/** The residuals [steps, …value] that the forward Scan has yet to save: of those values `names` of its body that vary and are not among the stacks it `has`. */
const missingResiduals = (
	forward: GraphBuilder,
	{ ahead, varying }: Step,
	has: readonly Stack[],
	names: Iterable<string>,
	{ steps, direction }: ScanParts,
): Stack[] =>
	[...names]
		.filter((name) => varying.has(name) && stackOf(has, name) === undefined)
		.map((name) => {
			const slice = ahead.value(name);
			return { whole: forward.fresh('saved', slice.dtype, stackedShape(slice, 0, steps)), slice, axis: 0, direction };
		});

/**
 * The stacked inputs of the backward Scan: the gradients of the stacked outputs and, from the last step to the first, the residuals of the values `wanted` of the
 * forward body. Constants of the body go into the backward body as they are.
 */
function backwardInputs(
	{ back, outputGradients, constants }: Step,
	wanted: readonly string[],
	residuals: readonly Stack[],
	stackedInputs: readonly Stack[],
): Stack[] {
	const inputs = [...outputGradients];
	for (const name of wanted) {
		const constant = constants.get(name);
		const stack = stackOf(residuals, name);
		if (constant !== undefined) back.initializer(name, constant);
		else if (stack !== undefined) inputs.push(backwards(stack));
	}
	if (inputs.length > 0) return inputs;
	// a Scan needs something to walk along
	const any = stackedInputs[0] as Stack;
	return [{ ...backwards(any), slice: back.fresh('unused', any.slice.dtype, any.slice.shape) }];
}

/** Adds the backward Scan. Gives its carries after the last of its steps. */
function addScan(
	g: GraphBuilder,
	body: Graph,
	carries: readonly GradientCarry[],
	inputs: readonly Stack[],
	outputs: readonly Stack[],
): Value[] {
	const finals = carries.map(({ before: { dtype, shape } }) => g.fresh('Scan', dtype, shape));
	if (finals.length + outputs.length === 0) return finals; // no step uses what a gradient is asked of
	const starts = carries.map(({ start, before }) => start ?? zerosOf(g, before));
	g.node('Scan', [...starts, ...inputs.map(({ whole }) => whole)], [...finals, ...outputs.map(({ whole }) => whole)], {
		body: { type: 'graph', value: body },
		num_scan_inputs: inputs.length,
		scan_input_axes: inputs.map(({ axis }) => axis),
		scan_input_directions: inputs.map(({ direction }) => direction),
		...outputPlaces(outputs),
	});
	return finals;
}

/** The whole of a stack with its steps at `axis`. */
function wholeAlong(g: GraphBuilder, { whole, axis: from }: Stack, axis: number): Value {
	if (from === axis) return whole;
	const others = whole.shape.map((_, i) => i).filter((i) => i !== from);
	return g.transpose(whole, others.toSpliced(axis, 0, from));
}

/**
 * Adds the backward Scan, with `carries` and stacked `outputs`, behind what leaves its body, and has the forward one save the residuals that these read, and those of
 * the values `others`. Gives the final carries, and all stacks of values of the forward step.
 */
function backwardScan(
	context: RuleContext,
	parts: ScanParts,
	step: Step,
	{ carries, outputs, others }: { carries: readonly GradientCarry[]; outputs: readonly Stack[]; others: readonly string[] },
): { finals: Value[]; residuals: Stack[] } {
	const { g, forward } = context;
	const { ahead, back, varying } = step;
	const bodyOutputs = asOutputs(back, [...carries.map(({ after }) => after), ...outputs.map(({ slice }) => slice)]);
	const withInputs = (body: Graph, stackedInputs: readonly Stack[]): Graph => {
		const inputs = [...carries.map(({ before }) => before), ...stackedInputs.map(({ slice }) => slice)];
		return withoutUnused({ ...body, inputs, initializers: back.build('').initializers });
	};
	const has = [...parts.stackedInputs, ...parts.stackedOutputs];
	const valueOf = (name: string): Value | undefined => [ahead, back].find((one) => one.has(name))?.value(name);
	const work = workOf(withInputs({ ...back.build(parts.body.name), outputs: bodyOutputs }, step.outputGradients), {
		...{ back, varying, forward: ahead.build('').nodes, others, valueOf },
		stackedAs: (name) => {
			const stack = stackOf(has, name);
			return stack && (stack.direction === parts.direction ? 'others' : 'reverse');
		},
	});

	const saved = missingResiduals(forward, step, has, work.saved, parts);
	saveResiduals(context, parts, ahead, saved);
	const kept = [...has, ...saved];
	const constants = new Map([...step.constants, ...back.build('').initializers]);
	addOnce(g, work, constants);
	const made = addStacked(g, work, constants, (name) => {
		const stack = stackOf(kept, name);
		return stack && wholeAlong(g, stack, 0);
	});
	const { direction } = parts;
	const computed = [...made].map(
		([name, whole]): Stack => ({ whole, slice: { ...whole, name, shape: whole.shape.slice(1) }, axis: 0, direction }),
	);
	const residuals = [...kept, ...computed];
	const inputs = backwardInputs(step, captured(work.body), residuals, parts.stackedInputs);
	return { finals: addScan(g, withInputs(work.body, inputs), carries, inputs, outputs), residuals };
}

/** The gradients of captured values, each of the shape of its value: the final sum, where there is one, and the products summed over all steps. */
const capturedGradients = (
	g: GraphBuilder,
	addends: readonly Addend[],
	sums: ReadonlyMap<string, Value>,
	stacked: (operand: Operand) => Value,
): [string, Value][] =>
	addends.map(({ of, products }) => {
		const sum = sums.get(of);
		const terms = products.map((product) => sumOfProducts(g, product, stacked));
		return [of, (sum === undefined ? terms : [sum, ...terms]).reduce((all, term) => g.add(all, term))];
	});

/**
 * The gradient of a Scan is a Scan through the same steps from the last to the first. Its body is the backward pass of the body. Its carries are the gradients of the
 * carries, and the sums so far of the gradients of captured values. Where the gradient of a captured value is a product of matrices, the operands leave the Scan
 * as stacked outputs instead, and one product outside sums over all steps. What the backward pass reads of the forward one are the residuals: each step of the
 * forward Scan saves them, as further stacked outputs.
 */
export const scan: Rule = (context) => {
	const { node, g } = context;
	const parts = partsOf(context);
	const { body, stackedInputs, stackedOutputs, direction } = parts;
	const step = stepOf(context, parts);

	const addends = addendsOf(step, readsOf(node).slice(node.inputs.length));
	const carries = [...step.carries, ...runningSums(step.back, addends)];
	const ofInputs = inputGradients(g, step, stackedInputs);
	// the forward Scan gives its own operands, but not those whose stack it has in the opposite order of the steps
	const isForward = ({ value: { name } }: Operand): boolean =>
		step.varying.has(name) && (stackOf([...stackedInputs, ...stackedOutputs], name)?.direction ?? direction) === direction;
	const operands = addends.flatMap(({ products }) => products.flatMap(({ left, right }) => [left, right]));
	const ofBackward = operands.filter((operand) => !isForward(operand));
	const outputs = [...ofInputs, ...operandStacks(g, ofBackward, ofInputs, parts)];

	const others = operands.filter(isForward).map(({ value }) => value.name);
	const { finals, residuals } = backwardScan(context, parts, step, { carries, outputs, others });
	const stacked = (operand: Operand): Value =>
		wholeAlong(g, operandIn(outputs, operand, parts) ?? (stackOf(residuals, operand.value.name) as Stack), operand.axis);
	const ofCarries = new Map(carries.map(({ of }, i) => [of, finals[i] as Value]));
	const gradients = new Map([
		...ofCarries,
		...ofInputs.map(({ of, whole }) => [of, whole] as const),
		...capturedGradients(g, addends, ofCarries, stacked),
	]);
	return readsOf(node).map((name, i) => gradients.get(i < node.inputs.length ? (body.inputs[i] as Value).name : name) ?? null);
};
