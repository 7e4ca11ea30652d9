/** Some steps in a row of one epoch, which are one run of the program. */
export type Chunk = {
	readonly epoch: number;
	/** Which chunk of the epoch, from 0. */
	readonly index: number;
	/** Its first step, counted from 0 over the whole training. */
	readonly step: number;
	/** Steps. */
	readonly length: number;
	/** Places in the training examples, in the order in which they are taken; up to `length` times the rows of a step. */
	readonly places: Uint32Array;
	/** Examples that the epoch has seen when the chunk ends. */
	readonly seen: number;
	readonly endsEpoch: boolean;
};
