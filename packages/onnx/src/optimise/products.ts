import { readAttributes } from '../attributes.js';
import type { Node, Value } from '../graph.js';
import type { Place, Rewriting } from './rewrite.js';
import { permOf } from './shapes.js';

const isStatic = ({ shape }: Value): boolean => shape.every((dim) => typeof dim === 'number');
const sizes = ({ shape }: Value): number[] => shape as number[];
const isFloat = ({ dtype }: Value): boolean => dtype === 'float32' || dtype === 'float64';

/** The matrix that a node transposes. */
function untransposed(name: string, { makerOf, valueOf }: Place): Value | null {
	const node = makerOf(name);
	const x = node?.op === 'Transpose' ? valueOf(node.inputs[0] as string) : undefined;
	return node !== undefined && x?.shape.length === 2 && permOf(node, x).join() === '1,0' ? x : null;
}

/** α·A'·B' + β·C with the attributes of a Gemm, whose operands may be transposes. */
type Product = { a: Value; b: Value; c: Value | null; transA: boolean; transB: boolean; alpha: number; beta: number };

function productOf(node: Node, { valueOf }: Place): Product | null {
	const { int, float } = readAttributes(node);
	const [a, b, c] = node.inputs.map((name) => (name === '' ? undefined : valueOf(name)));
	if (a === undefined || b === undefined || ![a, b].every((one) => isFloat(one) && one.shape.length === 2)) return null;
	const flags = { transA: int('transA', 0) === 1, transB: int('transB', 0) === 1, alpha: float('alpha', 1), beta: float('beta', 1) };
	return (node.inputs[2] ?? '') !== '' && c === undefined ? null : { a, b, c: c ?? null, ...flags };
}

const gemm = ({ g }: Place, { a, b, c, ...options }: Product): Value => g.gemm(a, b, c, options);

/** The product with the flags of Gemm in the place of nodes that transpose its operands; null where there are none. */
function withFlags(product: Product, place: Place): Product | null {
	const [a, b] = [untransposed(product.a.name, place), untransposed(product.b.name, place)];
	if (a === null && b === null) return null;
	return {
		...product,
		...(a === null ? {} : { a, transA: !product.transA }),
		...(b === null ? {} : { b, transB: !product.transB }),
	};
}

/** A product by a matrix is a Gemm, also that of a whole batch of matrices by one: Gemm can transpose and add. */
const matMul: Rewriting = (node, place) => {
	const { g, valueOf } = place;
	const [a, b] = node.inputs.map(valueOf);
	const y = valueOf(node.outputs[0] as string);
	if (a === undefined || b === undefined || y === undefined || ![a, b].every(isFloat)) return null;
	if (b.shape.length !== 2 || a.shape.length < 2 || ![a, b, y].every(isStatic)) return null;
	const width = sizes(a).at(-1) as number;
	const rows = sizes(a)
		.slice(0, -1)
		.reduce((all, size) => all * size, 1);
	const plain = { a: g.reshape(a, [rows, width]), b, c: null, transA: false, transB: false, alpha: 1, beta: 1 };
	return g.reshape(gemm(place, withFlags(plain, place) ?? plain), y.shape);
};

const gemmOfTransposes: Rewriting = (node, place) => {
	const product = productOf(node, place);
	const flagged = product === null ? null : withFlags(product, place);
	return flagged === null ? null : gemm(place, flagged);
};

/** (A·B)ᵀ = Bᵀ·Aᵀ. */
const transposeOfProduct: Rewriting = (node, place) => {
	const made = untransposed(node.outputs[0] as string, { ...place, makerOf: () => node });
	const maker = made === null ? undefined : place.makerOf(made.name);
	if (made === null || maker?.op !== 'Gemm' || place.readsOf(made.name) > 1) return null;
	const product = productOf(maker, place);
	if (product === null || product.c !== null) return null;
	const { a, b, transA, transB } = product;
	return gemm(place, { ...product, a: b, b: a, transA: !transB, transB: !transA });
};

/** A sum with a product that nobody else reads is the C of the product's Gemm, which starts from it instead of from 0. */
const addToProduct: Rewriting = (node, place) => {
	const { g, valueOf, makerOf, readsOf } = place;
	const y = valueOf(node.outputs[0] as string);
	if (y === undefined || !isStatic(y) || y.shape.length < 2) return null;
	const merged = (sum: string, term: string): Value | null => {
		if (sum === term || readsOf(sum) > 1) return null;
		const view = makerOf(sum)?.op === 'Reshape' ? makerOf(sum) : undefined;
		const inner = view === undefined ? sum : (view.inputs[0] as string);
		const maker = makerOf(inner);
		const [whole, matrix, other] = [valueOf(sum), valueOf(inner), valueOf(term)];
		if (maker?.op !== 'Gemm' || readsOf(inner) > 1 || ![whole, matrix, other].every((one) => one !== undefined && isStatic(one)))
			return null;
		const product = productOf(maker, place);
		if (product === null || product.c !== null || whole?.shape.join() !== y.shape.join()) return null;
		const [rows, columns] = sizes(matrix as Value) as [number, number];
		const shape = sizes(other as Value);
		const isRow = shape.at(-1) === columns && y.shape.at(-1) === columns && shape.slice(0, -1).every((size) => size === 1);
		const isWhole = shape.join() === y.shape.join();
		if (!isRow && !isWhole) return null;
		const c = g.reshape(other as Value, isWhole ? [rows, columns] : [columns]);
		return g.reshape(gemm(place, { ...product, c, beta: 1 }), y.shape);
	};
	const [a, b] = node.inputs as [string, string];
	return merged(b, a) ?? merged(a, b);
};

/** A constant divisor is a factor; of a power of two it is the same to the bit, else within rounding. */
const quotient: Rewriting = (node, { g, valueOf, constant }) => {
	const [x, divisor] = [valueOf(node.inputs[0] as string), constant(node.inputs[1] as string)];
	if (x === undefined || divisor?.data.length !== 1 || divisor.shape.length > x.shape.length || !isFloat(x)) return null;
	const factor = 1 / Number(divisor.data[0]);
	return Number.isFinite(factor) && factor !== 0 ? g.scale(factor, x) : null;
};

/** Rewritings that let Gemm transpose and add. */
export const products: Readonly<Record<string, Rewriting>> = {
	MatMul: matMul,
	Gemm: gemmOfTransposes,
	Transpose: transposeOfProduct,
	Add: addToProduct,
	Div: quotient,
};
