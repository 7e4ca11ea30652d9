import { readAttributes } from '../attributes.js';
import type { Node, Value } from '../graph.js';
import type { Place, Rewriting } from './rewrite.js';

/** The order in which a Transpose puts the axes of its input. */
export function permOf(node: Node, x: Value): readonly number[] {
	const axes = x.shape.map((_, axis) => axis);
	return readAttributes(node).ints('perm') ?? axes.reverse();
}

const isStatic = ({ shape }: Value): boolean => shape.every((dim) => typeof dim === 'number');

/** A Transpose of a Transpose is one, or none; one that moves only axes of size 1 is a Reshape, which copies nothing. */
const transpose: Rewriting = (node, { g, valueOf, makerOf }) => {
	const x = valueOf(node.inputs[0] as string);
	if (x === undefined) return null;
	const perm = permOf(node, x);
	const before = makerOf(x.name);
	const inner = before?.op === 'Transpose' ? valueOf(before.inputs[0] as string) : undefined;
	if (before !== undefined && inner !== undefined) {
		const first = permOf(before, inner);
		const whole = perm.map((axis) => first[axis] as number);
		return whole.every((axis, i) => axis === i) ? inner : g.transpose(inner, whole);
	}
	const long = perm.filter((axis) => x.shape[axis] !== 1);
	const isInOrder = long.every((axis, i) => i === 0 || axis > (long[i - 1] as number));
	return isInOrder && isStatic(x)
		? g.reshape(
				x,
				perm.map((axis) => x.shape[axis] as number),
			)
		: null;
};

/** The shape that a Reshape is given, where it is a constant without 0, which would stand for a size of the input. */
const shapeOf = (node: Node | undefined, { constant }: Place): readonly number[] | null => {
	const shape = node?.op === 'Reshape' ? constant(node.inputs[1] as string) : undefined;
	const sizes = shape === undefined ? null : Array.from(shape.data, Number);
	return sizes?.includes(0) ? null : sizes;
};

/** A Reshape of a Reshape is one; one to the shape that its input has is none. */
const reshape: Rewriting = (node, place) => {
	const { g, valueOf, makerOf } = place;
	const x = valueOf(node.inputs[0] as string);
	const y = valueOf(node.outputs[0] as string);
	if (x === undefined || y === undefined || shapeOf(node, place) === null || !isStatic(y)) return null;
	if (isStatic(x) && x.shape.join() === y.shape.join()) return x;
	const before = makerOf(x.name);
	const inner = shapeOf(before, place) === null ? undefined : valueOf(before?.inputs[0] as string);
	return inner === undefined || !isStatic(inner) ? null : g.reshape(inner, y.shape);
};

/** Rewritings of operators that only move numbers. */
export const shapes: Readonly<Record<string, Rewriting>> = { Transpose: transpose, Reshape: reshape };
