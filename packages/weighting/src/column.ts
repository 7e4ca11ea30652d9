/** Column `at`, counted from 0, of a matrix `[N, width]` that lies row after row: `[N]`. */
export const columnOf = (matrix: ArrayLike<number>, width: number, at: number): Float32Array =>
	Float32Array.from({ length: matrix.length / width }, (_, i) => matrix[i * width + at]!);
