import type { GraphBuilder, Value } from '@steelyard/onnx';

/** Where a layer adds its nodes, and what it may ask for. */
export type ForwardContext = {
	readonly g: GraphBuilder;
	/** The value of a parameter, by its name. */
	readonly parameter: (name: string) => Value;
	/** In training: x with each number dropped with probability `rate` (0 to below 1) and the others times 1/(1 − rate). Otherwise, and for rate 0, x. */
	readonly dropout: (x: Value, rate: number) => Value;
	/** In training: standard normal numbers of this shape, drawn anew in each step. Otherwise null. */
	readonly noise: (shape: readonly number[]) => Value | null;
	/** Whether the sizes of all values must be known before a run. */
	readonly fixedSizes?: boolean;
};

/** The context of a forward pass outside training: nothing is dropped, and there is no noise. */
export const inference = (g: GraphBuilder, parameter: ForwardContext['parameter']): ForwardContext => ({
	g,
	parameter,
	dropout: (x) => x,
	noise: () => null,
});
