import type { Graph } from '@steelyard/onnx';
import { sizeOf } from '@steelyard/runtime';

/** Numbers that the nodes of a step may give for its memory to be laid out: 256 MiB of float32. */
const MOST_NUMBERS = 2 ** 26;

/**
 * Whether ONNX Runtime is to lay out the memory of a whole step, after the first one. That saves a little time in a step of many small operators, but the memory
 * of the first step is then held as well: of a large one as much again.
 */
export function isPlanned({ values }: Graph): boolean {
	let numbers = 0;
	for (const { shape } of values.values()) numbers += shape.every((dim) => typeof dim === 'number') ? sizeOf(shape) : 0;
	return numbers <= MOST_NUMBERS;
}
