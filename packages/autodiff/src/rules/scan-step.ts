import { type Graph, type GraphBuilder, readsOf, type Value } from '@steelyard/onnx';
import { isFloat } from '../float-types.js';
import { gradientPaths } from '../gradient-paths.js';
import type { RuleContext } from '../rule.js';
import { zerosOf } from './bodies.js';
import { backwards, type Carry, type ScanParts, type Stack } from './scan-parts.js';

/**
 * A carry of the backward Scan, of the shape of the value `of` in the body: the gradient of a carry, or the sum so far of that of a captured value. After all
 * steps it is the gradient of the loss by `of`. It starts as `start`, or as zeros where that is null.
 */
export type GradientCarry = Carry & { readonly of: string; readonly start: Value | null };

/** One step of a Scan and its backward pass. */
export type Step = {
	/** Builds the body as the forward pass runs it. */
	readonly ahead: GraphBuilder;
	/** Builds the backward pass of the body, which may read all that stands in the body. */
	readonly back: GraphBuilder;
	/** The gradients of the carries. */
	readonly carries: readonly GradientCarry[];
	/** The gradients of the stacked outputs as stacked inputs of the backward Scan, whose steps go in the opposite order. */
	readonly outputGradients: readonly Stack[];
	/** The gradient of each slice of a stacked input and of each captured value in this step, by its name in the body and of its shape; of a carry, that before the step. */
	readonly gradients: ReadonlyMap<string, Value>;
	/** All values of the body and of its backward pass, by name. */
	readonly values: ReadonlyMap<string, Value>;
	/** The names of the values that change from step to step in the forward pass: the inputs of the body and the outputs of its nodes. */
	readonly varying: ReadonlySet<string>;
	/** The constants of the body. */
	readonly constants: Graph['initializers'];
};

/** The names in the body of the inputs and captured values that need a gradient. */
const sourcesOf = ({ node, inputs, needs }: RuleContext, body: Graph): string[] =>
	readsOf(node).flatMap((name, i) =>
		needs[i] && isFloat(inputs[i]) ? [i < node.inputs.length ? (body.inputs[i] as Value).name : name] : [],
	);

/** The names in the body that need a gradient: `sources`, and every carry that depends on them in some step. */
function activeNames(body: Graph, carries: readonly Carry[], sources: readonly string[]): Set<string> {
	const active = new Set(sources);
	for (;;) {
		const reached = gradientPaths(body, active);
		const more = carries.filter(({ before, after }) => isFloat(before) && reached.has(after.name) && !active.has(before.name));
		if (more.length === 0) return active;
		for (const { before } of more) active.add(before.name);
	}
}

/** A builder that stands inside `forward` and goes on from the body. */
function builderOf(forward: GraphBuilder, body: Graph): GraphBuilder {
	const ahead = forward.nested();
	for (const { name, dtype, shape } of body.inputs) ahead.input(name, dtype, shape);
	ahead.append(body);
	return ahead;
}

/** Walks back through the body once: from the gradients of the carries after a step and of the slices of the stacked outputs to those of all that the step reads. */
export function stepOf(context: RuleContext, { body, carries, stackedOutputs }: ScanParts): Step {
	const { dys, g, forward } = context;
	const active = activeNames(body, carries, sourcesOf(context, body));
	const ahead = builderOf(forward, body);
	const back = g.nested();
	const carried = carries.flatMap(({ before, after }, i) =>
		active.has(before.name) ? [{ before, after, dy: back.fresh('state', before.dtype, before.shape), start: dys[i] ?? null }] : [],
	);
	const stacked = stackedOutputs.flatMap((stack, i) => {
		const whole = dys[carries.length + i] ?? null;
		return whole === null ? [] : [{ stack, whole, dy: back.fresh('slice', stack.slice.dtype, stack.slice.shape) }];
	});
	const gradientOf = context.backpropagate({
		graph: body,
		forward: ahead,
		g: back,
		seeds: [
			...carried.map(({ after, dy }) => [after.name, dy] as const),
			...stacked.map(({ stack, dy }) => [stack.slice.name, dy] as const),
		],
		wrt: [...active],
	});
	const found = [...active].map((name) => [name, gradientOf(name)] as const);
	const gradients = new Map(found.filter((one): one is readonly [string, Value] => one[1] !== null));

	const walked = ahead.build(body.name);
	const seeds = [...carried, ...stacked].map(({ dy }) => dy);
	const values = [...body.inputs, ...walked.values.values(), ...back.build(body.name).values.values(), ...seeds];
	return {
		ahead,
		back,
		carries: carried.map(({ before, dy, start }) => ({
			of: before.name,
			before: dy,
			after: gradients.get(before.name) ?? zerosOf(back, before),
			start,
		})),
		outputGradients: stacked.map(({ stack, whole, dy }) => backwards({ ...stack, whole, slice: dy })),
		gradients,
		values: new Map(values.map((value) => [value.name, value])),
		varying: new Set([...body.inputs.map(({ name }) => name), ...walked.nodes.flatMap(({ outputs }) => outputs)]),
		constants: walked.initializers,
	};
}
