import { type Graph, type GraphBuilder, readsOf, type Value } from '@steelyard/onnx';
import { isFloat } from '../float-types.js';
import { gradientPaths } from '../gradient-paths.js';
import type { RuleContext } from '../rule.js';
import { zerosOf } from './bodies.js';
import { backwards, type ScanParts, type Stack, type State } from './scan-parts.js';

/**
 * A state of the backward Scan, of the shape of the value `of` in the body: the gradient of a state, or the sum so far of that of a captured value. After all
 * steps it is the gradient of the loss by `of`. It starts as `start`, null for zeros.
 */
export type GradientState = State & { readonly of: string; readonly start: Value | null };

/** One step of a Scan and its backward pass. */
export type Step = {
	/** Builds the body as the forward pass runs it. */
	readonly ahead: GraphBuilder;
	/** Builds the backward pass of the body, which may read all that stands in the body. */
	readonly back: GraphBuilder;
	/** The gradients of the states. */
	readonly states: readonly GradientState[];
	/** The gradients of the scan outputs, walked against the direction of the outputs. */
	readonly arriving: readonly Stack[];
	/** The gradient of each scanned slice and captured value in this step, by its name in the body and of its shape; of a state, that before the step. */
	readonly gradients: ReadonlyMap<string, Value>;
	/** All values of the body and of its backward pass, by name. */
	readonly values: ReadonlyMap<string, Value>;
	/** Names of the values that change from step to step in the forward pass: the inputs of the body and what its nodes give. */
	readonly given: ReadonlySet<string>;
	/** The constants of the body. */
	readonly constants: Graph['initializers'];
};

/** Names in the body of the inputs and captured values that need a gradient. */
const sourcesOf = ({ node, inputs, needs }: RuleContext, body: Graph): string[] =>
	readsOf(node).flatMap((name, i) =>
		needs[i] && isFloat(inputs[i]) ? [i < node.inputs.length ? (body.inputs[i] as Value).name : name] : [],
	);

/** Names in the body that need a gradient: `sources`, and every state that varies with them in some step. */
function activeNames(body: Graph, states: readonly State[], sources: readonly string[]): Set<string> {
	const active = new Set(sources);
	for (;;) {
		const reached = gradientPaths(body, active);
		const more = states.filter(({ before, after }) => isFloat(before) && reached.has(after.name) && !active.has(before.name));
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

/** Walks back through the body once: from the gradients of the states after a step and of its slices of the scan outputs to those of all that it reads. */
export function stepOf(context: RuleContext, { body, states, stacks }: ScanParts): Step {
	const { dys, g, forward } = context;
	const active = activeNames(body, states, sourcesOf(context, body));
	const ahead = builderOf(forward, body);
	const back = g.nested();
	const carried = states.flatMap(({ before, after }, i) =>
		active.has(before.name) ? [{ before, after, dy: back.fresh('state', before.dtype, before.shape), start: dys[i] ?? null }] : [],
	);
	const flowing = stacks.flatMap((stack, i) => {
		const whole = dys[states.length + i] ?? null;
		return whole === null ? [] : [{ stack, whole, dy: back.fresh('slice', stack.slice.dtype, stack.slice.shape) }];
	});
	const gradientOf = context.backpropagate({
		graph: body,
		forward: ahead,
		g: back,
		seeds: [
			...carried.map(({ after, dy }) => [after.name, dy] as const),
			...flowing.map(({ stack, dy }) => [stack.slice.name, dy] as const),
		],
		wrt: [...active],
	});
	const found = [...active].map((name) => [name, gradientOf(name)] as const);
	const gradients = new Map(found.filter((one): one is readonly [string, Value] => one[1] !== null));

	const walked = ahead.build(body.name);
	const seeds = [...carried, ...flowing].map(({ dy }) => dy);
	const values = [...body.inputs, ...walked.values.values(), ...back.build(body.name).values.values(), ...seeds];
	return {
		ahead,
		back,
		states: carried.map(({ before, dy, start }) => ({
			of: before.name,
			before: dy,
			after: gradients.get(before.name) ?? zerosOf(back, before),
			start,
		})),
		arriving: flowing.map(({ stack, whole, dy }) => backwards({ ...stack, whole, slice: dy })),
		gradients,
		values: new Map(values.map((value) => [value.name, value])),
		given: new Set([...body.inputs.map(({ name }) => name), ...walked.nodes.flatMap(({ outputs }) => outputs)]),
		constants: walked.initializers,
	};
}
