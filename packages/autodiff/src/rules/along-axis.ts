import { type GraphBuilder, staticShape, type Value } from '@steelyard/onnx';
import { product } from '../axes.js';

/** A matrix of constants, row by row. */
export type Matrix = readonly (readonly number[])[];

export const transposed = (matrix: Matrix): number[][] => (matrix[0] ?? []).map((_, column) => matrix.map((row) => row[column] as number));

/** Multiplies x along an axis by a matrix that has one column per entry of the axis; then the axis has one entry per row of the matrix. */
export function alongAxis(g: GraphBuilder, matrix: Matrix, x: Value, axis: number): Value {
	const sizes = staticShape(x);
	const [before, size, behind] = [product(sizes.slice(0, axis)), sizes[axis] as number, product(sizes.slice(axis + 1))];
	const rows = matrix.length;
	const constant = (m: Matrix): Value => g.constant(x.dtype, [m.length, (m[0] ?? []).length], m.flat());
	const y =
		behind === 1
			? g.matMul(g.reshape(x, [before, size]), constant(transposed(matrix)))
			: g.matMul(constant(matrix), g.reshape(x, [before, size, behind]));
	return g.reshape(
		y,
		sizes.map((length, i) => (i === axis ? rows : length)),
	);
}
