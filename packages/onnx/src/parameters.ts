import type { DType } from '@steelyard/runtime';
import type { Model } from './graph.js';

/** An initializer of floating type, and whether it is trained: `reason` says why or why not. */
export type Parameter = {
	readonly name: string;
	readonly dtype: DType;
	readonly shape: readonly number[];
	readonly trainable: boolean;
	readonly reason: string;
};

/** Every initializer of floating type of a model, judged by its use. */
export function parametersOf({ graph }: Model): Parameter[] {
	const statistics = new Set(graph.nodes.filter(({ op }) => op === 'BatchNormalization').flatMap(({ inputs }) => inputs.slice(3)));
	return [...graph.initializers]
		.filter(([, { dtype }]) => dtype.startsWith('float'))
		.map(([name, { dtype, shape }]) => {
			const trainable = shape.length > 0 && !statistics.has(name);
			return { name, dtype, shape, trainable, reason: trainable ? 'a weight' : 'a constant' };
		});
}
