import {
	type Attribute,
	bodiesOf,
	type Graph,
	type GraphBuilder,
	type Node,
	readAttributes,
	staticShape,
	type Value,
} from '@steelyard/onnx';
import type { RuleContext } from '../rule.js';
import { asOutputs } from './bodies.js';

/**
 * What goes into or comes out of a Scan slice by slice: the whole (without a name: an output left out), its slice in the body, the axis of the whole along which
 * the slices stand, which the slice does not have, and the direction of the walk (1: from the end).
 */
export type Stack = { readonly whole: Value; readonly slice: Value; readonly axis: number; readonly direction: number };

/** A state in the body: what a step begins with and what it hands on, of one shape. */
export type State = { readonly before: Value; readonly after: Value };

/** A Scan: its body, its states, its scanned inputs and scan outputs in their order, and how many steps it makes. */
export type ScanParts = {
	readonly body: Graph;
	readonly states: readonly State[];
	readonly scans: readonly Stack[];
	readonly stacks: readonly Stack[];
	readonly steps: number;
};

/** The slices of a stack in the opposite order of the steps. */
export const backwards = (stack: Stack): Stack => ({ ...stack, direction: 1 - stack.direction });

/** The shape of `steps` slices stacked along `axis`. */
export const stacked = (slice: Value, axis: number, steps: number): number[] => staticShape(slice).toSpliced(axis, 0, steps);

/** The stack of the value `name` of the body. */
export const stackNamed = (stacks: readonly Stack[], name: string): Stack | undefined =>
	stacks.find(({ slice, whole }) => slice.name === name && whole.name !== '');

/** The parts of the Scan that a rule sees. Axes are counted from the front. */
export function partsOf({ node, inputs, int, ints }: RuleContext): ScanParts {
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

/** A list attribute of the scan outputs, made longer by outputs at its default. */
const longer = (node: Node, name: string, by: number): Record<string, Attribute> => {
	const given = readAttributes(node).ints(name);
	return given === null ? {} : { [name]: { type: 'ints', value: [...given, ...Array<number>(by).fill(0)] } };
};

/** Puts in the place of a Scan the same with the body that `ahead` builds, and a scan output more of each slice in `saved`, [steps, ...slice]. */
export function saveStacks({ node, forward }: RuleContext, { body }: ScanParts, ahead: GraphBuilder, saved: readonly Stack[]): void {
	const copies = asOutputs(
		ahead,
		saved.map(({ slice }) => slice),
		body.outputs,
	);
	const outputs = body.outputs.map((slice, i) => node.outputs[i] || forward.fresh('unused', slice.dtype, slice.shape).name);
	const next: Node = {
		...node,
		outputs: [...outputs, ...saved.map(({ whole }) => whole.name)],
		attributes: {
			...node.attributes,
			...longer(node, 'scan_output_axes', saved.length),
			...longer(node, 'scan_output_directions', saved.length),
			body: { type: 'graph', value: { ...ahead.build(body.name), outputs: [...body.outputs, ...copies] } },
		},
	};
	const values = new Map(saved.map(({ whole }) => [whole.name, whole]));
	forward.replace(node, { name: node.name, nodes: [next], inputs: [], outputs: [], initializers: new Map(), values });
}
