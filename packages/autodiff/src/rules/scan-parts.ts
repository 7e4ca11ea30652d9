import { type Attribute, bodiesOf, type Graph, type GraphBuilder, type Node, positiveAxis, staticShape, type Value } from '@steelyard/onnx';
import type { RuleContext } from '../rule.js';
import { asOutputs } from './bodies.js';

/**
 * A stacked input or output of a Scan: a value that goes into the body, or comes out of it, slice by slice. `whole` is the value outside (an output that the node
 * leaves out has the name ''), `slice` the one in the body, `axis` the axis of the whole along which the slices stand and which the slice does not have, and
 * `direction` the order of the steps along it: 0 from its beginning, 1 from its end.
 */
export type Stack = { readonly whole: Value; readonly slice: Value; readonly axis: number; readonly direction: number };

/** A carry: what passes from step to step, as values of the body and of one shape. `before` is what a step begins with, `after` what it hands on. */
export type Carry = { readonly before: Value; readonly after: Value };

/**
 * A Scan: its body, its carries, its stacked inputs and outputs in their order, and how many steps it makes. `direction` is that of its first stacked input; what is
 * stacked for the gradients is stacked like that too, so that it stands in the order of what comes in and goes out.
 */
export type ScanParts = {
	readonly body: Graph;
	readonly carries: readonly Carry[];
	readonly stackedInputs: readonly Stack[];
	readonly stackedOutputs: readonly Stack[];
	readonly steps: number;
	readonly direction: number;
};

/** The slices of a stack in the opposite order of the steps. */
export const backwards = (stack: Stack): Stack => ({ ...stack, direction: 1 - stack.direction });

/** The shape of `steps` slices stacked along `axis`. */
export const stackedShape = (slice: Value, axis: number, steps: number): number[] => staticShape(slice).toSpliced(axis, 0, steps);

/** The stack of the value `name` of the body, of those that stand outside. */
export const stackOf = (stacks: readonly Stack[], name: string): Stack | undefined =>
	stacks.find(({ slice, whole }) => slice.name === name && whole.name !== '');

/** The parts of the Scan that a rule sees. Axes are counted from the front. */
export function partsOf({ node, inputs, int, ints }: RuleContext): ScanParts {
	const body = (bodiesOf(node)[0] as [string, Graph])[1];
	const count = node.inputs.length - int('num_scan_inputs', 0);
	const along = (kind: 'input' | 'output', i: number, rank: number) => ({
		axis: positiveAxis(ints(`scan_${kind}_axes`)?.[i] ?? 0, rank),
		direction: ints(`scan_${kind}_directions`)?.[i] ?? 0,
	});
	const carries = body.inputs.slice(0, count).map((before, i) => ({ before, after: body.outputs[i] as Value }));
	const stackedInputs = body.inputs.slice(count).map((slice, i): Stack => {
		const whole = inputs[count + i] as Value;
		return { whole, slice, ...along('input', i, whole.shape.length) };
	});
	const { whole, axis, direction } = stackedInputs[0] as Stack;
	const steps = staticShape(whole)[axis] as number;
	const stackedOutputs = body.outputs.slice(count).map((slice, i): Stack => {
		const place = along('output', i, slice.shape.length + 1);
		return { whole: { ...slice, name: node.outputs[count + i] ?? '', shape: stackedShape(slice, place.axis, steps) }, slice, ...place };
	});
	return { body, carries, stackedInputs, stackedOutputs, steps, direction };
}

/** The attributes of a Scan that say where its stacked outputs have their slices. */
export const outputPlaces = (outputs: readonly Stack[]): Record<string, Attribute> =>
	outputs.length === 0
		? {}
		: {
				scan_output_axes: { type: 'ints', value: outputs.map(({ axis }) => axis) },
				scan_output_directions: { type: 'ints', value: outputs.map(({ direction }) => direction) },
			};

/**
 * Puts another Scan in the place of the forward one: with the body that `ahead` builds, it also gives the residuals, what the backward pass reads of the forward
 * one, as further stacked outputs [steps, …slice].
 */
export function saveResiduals(
	{ node, forward }: RuleContext,
	{ body, stackedOutputs }: ScanParts,
	ahead: GraphBuilder,
	residuals: readonly Stack[],
): void {
	const copies = asOutputs(
		ahead,
		residuals.map(({ slice }) => slice),
		body.outputs,
	);
	const outputs = body.outputs.map((slice, i) => node.outputs[i] || forward.fresh('unused', slice.dtype, slice.shape).name);
	const next: Node = {
		...node,
		outputs: [...outputs, ...residuals.map(({ whole }) => whole.name)],
		attributes: {
			...node.attributes,
			...outputPlaces([...stackedOutputs, ...residuals]),
			body: { type: 'graph', value: { ...ahead.build(body.name), outputs: [...body.outputs, ...copies] } },
		},
	};
	const values = new Map(residuals.map(({ whole }) => [whole.name, whole]));
	forward.replace(node, { name: node.name, nodes: [next], inputs: [], outputs: [], initializers: new Map(), values });
}
