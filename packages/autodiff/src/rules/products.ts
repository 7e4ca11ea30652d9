import { type GraphBuilder, type Node, readAttributes, staticShape, type Value } from '@steelyard/onnx';

/** A matrix in a product, and the axis over which the product sums. */
export type Operand = { readonly value: Value; readonly axis: 0 | 1 };
/** α·L·R. */
export type Product = { readonly left: Operand; readonly right: Operand; readonly alpha: number };

const other = (axis: 0 | 1): 0 | 1 => (axis === 0 ? 1 : 0);

/** The matrix of which a node gives the transpose. */
const untransposed = (node: Node | undefined): string | null =>
	node?.op === 'Transpose' && readAttributes(node).ints('perm')?.join() !== '0,1' ? (node.inputs[0] as string) : null;

/**
 * The terms of which the value `sum` is the sum in the graph of `g`: `products` of two matrices, and the `rest`. `valueOf` gives the values that products may be made of;
 * a product of other values belongs to the rest.
 */
export function termsOf(g: GraphBuilder, sum: Value, valueOf: (name: string) => Value | undefined): { products: Product[]; rest: Value[] } {
	const makers = new Map(g.build('').nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
	const operand = (name: string, axis: 0 | 1): Operand | null => {
		const value = valueOf(name);
		if (value?.shape.length !== 2) return null;
		const inner = untransposed(makers.get(name));
		return (inner === null ? null : operand(inner, other(axis))) ?? { value, axis };
	};
	const productOf = (node: Node | undefined): Product | null => {
		if (node === undefined || !['MatMul', 'Gemm'].includes(node.op) || node.inputs.length > 2) return null;
		const { int, float } = readAttributes(node);
		const left = operand(node.inputs[0] as string, int('transA', 0) === 1 ? 0 : 1);
		const right = operand(node.inputs[1] as string, int('transB', 0) === 1 ? 1 : 0);
		return left && right && { left, right, alpha: float('alpha', 1) };
	};
	const products: Product[] = [];
	const rest: Value[] = [];
	const visit = (value: Value, turned: boolean): void => {
		const node = makers.get(value.name);
		const inner = valueOf(untransposed(node) ?? '');
		const parts = node?.op === 'Add' ? node.inputs.flatMap((name) => valueOf(name) ?? []) : [];
		const product = productOf(node);
		if (inner?.shape.length === 2) visit(inner, !turned);
		else if (parts.length === 2 && parts.every(({ shape }) => shape.join() === value.shape.join()))
			for (const part of parts) visit(part, turned);
		else if (product !== null) products.push(turned ? { ...product, left: product.right, right: product.left } : product);
		else rest.push(turned ? g.transposed(value) : value);
	};
	visit(sum, false);
	return { products, rest };
}

/** Σ over steps of α·L·R, from each operand stacked over the steps along the axis that the product sums over: one product of matrices, longer by the steps. */
export function sumOfProducts(g: GraphBuilder, { left, right, alpha }: Product, stackOf: (operand: Operand) => Value): Value {
	const flat = (operand: Operand): Value => {
		const whole = stackOf(operand);
		const shape = staticShape(whole);
		const [steps, size] = shape.slice(operand.axis) as [number, number];
		return g.reshape(whole, shape.toSpliced(operand.axis, 2, steps * size));
	};
	return g.gemm(flat(left), flat(right), null, { transA: left.axis === 0, transB: right.axis === 1, alpha });
}
