import type { ClassAxis } from '@steelyard/contracts';

/** How the logits of a row lie, flat, where its positions have labels: `[positions, classes]` where `classAxis` is -1, `[classes, positions]` where it is 1. */
export type PositionLogits = {
	/** Positions of a row, over all their axes. */
	readonly positions: number;
	/** Logits or values of a position. */
	readonly classes: number;
	readonly classAxis: ClassAxis;
};

/** Gets the logits of some rows, `[length, positions · classes]`, of which the first is row `start` of the examples. */
export type VisitLogits = (logits: Float32Array, start: number, length: number) => void;
