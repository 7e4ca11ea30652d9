import { readAttributes } from '../attributes.js';
import { float } from '../builder.js';
import type { Node, Value } from '../graph.js';
import type { Place, Rewriting } from './rewrite.js';
import { permOf } from './shapes.js';

const FUSED = 'com.microsoft.FusedMatMul';

/** x·c of a constant c. */
function multiple(node: Node | undefined, { valueOf, constant }: Place): { x: Value; factor: number } | null {
	if (node?.op !== 'Mul') return null;
	for (const [i, name] of node.inputs.entries()) {
		const number = constant(name);
		const x = valueOf(node.inputs[1 - i] as string);
		if (number?.data.length === 1 && x !== undefined && number.shape.length <= x.shape.length) return { x, factor: Number(number.data[0]) };
	}
	return null;
}

/** An operand of a product of batches of matrices: the value that is multiplied, whether the product transposes it, and a number by which it is multiplied. */
type Operand = { value: Value; transposed: boolean; factor: number };

/** The operand without the factor and the transposition that come just before it, so far as a FusedMatMul can do them itself. */
function bared(operand: Operand, place: Place): Operand {
	const { value, transposed, factor } = operand;
	const node = place.makerOf(value.name);
	const scaled = multiple(node, place);
	if (scaled !== null) return bared({ value: scaled.x, transposed, factor: factor * scaled.factor }, place);
	const inner = node?.op === 'Transpose' ? place.valueOf(node.inputs[0] as string) : undefined;
	if (node === undefined || inner === undefined) return operand;
	const perm = permOf(node, inner);
	const last = perm.length - 1;
	// only where the innermost axis comes back to its place: such a transposition is the cheaper one, or none
	if (perm[last - 1] !== last) return operand;
	const swapped = [...perm.slice(0, -2), perm[last] as number, last];
	const isIdentity = swapped.every((axis, i) => axis === i);
	return bared({ value: isIdentity ? inner : place.g.transpose(inner, swapped), transposed: !transposed, factor }, place);
}

const isBatch = (value: Value | undefined): value is Value => value !== undefined && value.dtype === 'float32' && value.shape.length > 2;

/** The product of batches of matrices that takes scales and transpositions of its operands upon itself. */
const product: Rewriting = (node, place) => {
	const { int, float: real } = readAttributes(node);
	const [left, right, y] = [...node.inputs, node.outputs[0] as string].map(place.valueOf);
	if (!isBatch(left) || !isBatch(right) || y === undefined) return null;
	const a = bared({ value: left, transposed: int('transA', 0) === 1, factor: 1 }, place);
	const b = bared({ value: right, transposed: int('transB', 0) === 1, factor: 1 }, place);
	if (a.value === left && b.value === right) return null;
	return fused(place, a, b, real('alpha', 1), y.shape);
};

const fused = ({ g }: Place, a: Operand, b: Operand, alpha: number, shape: Value['shape']): Value =>
	g.op(
		FUSED,
		[a.value, b.value],
		{ transA: a.transposed ? 1 : 0, transB: b.transposed ? 1 : 0, alpha: float(alpha * a.factor * b.factor) },
		{ shape },
	);

/** A number by which the result of such a product is multiplied, where nobody else reads the result. */
const scaledProduct: Rewriting = (node, place) => {
	const scaled = multiple(node, place);
	const maker = scaled === null ? undefined : place.makerOf(scaled.x.name);
	if (scaled === null || maker === undefined || !['MatMul', FUSED].includes(maker.op) || place.readsOf(scaled.x.name) > 1) return null;
	const [left, right] = maker.inputs.map(place.valueOf);
	const y = place.valueOf(node.outputs[0] as string);
	if (!isBatch(left) || !isBatch(right) || y?.shape.join() !== scaled.x.shape.join()) return null;
	const { int, float: real } = readAttributes(maker);
	const operand = (value: Value, flag: string): Operand => ({ value, transposed: int(flag, 0) === 1, factor: 1 });
	return fused(place, operand(left, 'transA'), operand(right, 'transB'), real('alpha', 1) * scaled.factor, y.shape);
};

/** Rewritings by an operator of ONNX Runtime's own, FusedMatMul, which transposes and scales batches of matrices as Gemm does single ones. */
export const fusedProducts: Readonly<Record<string, Rewriting>> = { MatMul: product, [FUSED]: product, Mul: scaledProduct };
