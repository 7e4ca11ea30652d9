import { ProblemError } from '../problems.js';

/** How many numbers the tensor of one instance may have, for the fusion `tensor`. */
const LARGEST_TENSOR = 20_000;
/** Width of the projections before the tensor where a config names none and the tensor is not too large. */
const DEFAULT_TENSOR_WIDTH = 16;

/** Numbers of the outer product of `count` projections of `width`, each with a 1 appended. */
const tensorSize = (width: number, count: number): number => (width + 1) ** count;

/** The largest width of the projections, up to the default, at which the tensor of `count` modalities is not too large; 1 where none is. */
function widestTensor(count: number): number {
	let width = DEFAULT_TENSOR_WIDTH;
	while (width > 1 && tensorSize(width, count) > LARGEST_TENSOR) width--;
	return width;
}

/** The width to which the fusion `tensor` of `count` modalities projects each embedding: the one that a config names, or the default. */
export const tensorWidth = (named: number | undefined, count: number): number => named ?? widestTensor(count);

/** The tensor of `count` modalities is not too large. */
export function* tensorProblems(named: number | undefined, count: number): Iterable<ProblemError> {
	const width = tensorWidth(named, count);
	const size = tensorSize(width, count);
	if (size <= LARGEST_TENSOR) return;
	const isTooManyModalities = tensorSize(1, count) > LARGEST_TENSOR;
	yield new ProblemError(
		'invalid_request',
		`The tensor of ${count} modalities at model.tensor_width ${width} has (${width} + 1)^${count} = ${size} numbers per instance, expected at most ${LARGEST_TENSOR}; choose ${isTooManyModalities ? '' : `${widestTensor(count)} or less, or `}the fusion low-rank-tensor`,
		isTooManyModalities ? 'model.fusion' : 'model.tensor_width',
	);
}
