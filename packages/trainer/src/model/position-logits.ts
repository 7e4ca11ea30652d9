import type { ClassAxis } from '@steelyard/contracts';

/** How the logits of a row lie, flat, where its positions have labels: `[positions, classes]` where `classAxis` is -1, `[classes, positions]` where it is 1. */
export type PositionLogits = {
	/** Positions of a row, over all their axes. */
	readonly positions: number;
	/** Logits or values of a position. */
	readonly classes: number;
	readonly classAxis: ClassAxis;
};

/**
 * Gets what an uploaded graph gives for `length` rows, of which the first is row `start` of the examples: the logits or values `[length, outputs]`, null where the job
 * takes none of the graph, and what each auxiliary output gives, `[length, positions · classes]`.
 */
export type VisitOutputs = (logits: Float32Array | null, start: number, length: number, auxiliary: readonly Float32Array[]) => void;
