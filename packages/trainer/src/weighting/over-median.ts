import { medianOf } from '@steelyard/contracts';
import type { Dim, GraphBuilder, Value } from '@steelyard/onnx';
import { columnOf, type Reals } from '@steelyard/weighting';
import type { JudgedExamples, Weigher } from './weigher.js';

/** A prediction, and the medians in it. */
type Seen<T> = { readonly whole: T; readonly median: T };

/**
 * What a method made of medians as quantiles. Where it gives the medians of a prediction back, that is the prediction; where it joins more to the last one, the quantiles
 * of that are moved along with their median.
 */
function around<T>(seen: readonly Seen<T>[], made: T, moved: (last: Seen<T>, made: T) => T): T {
	const own = seen.find(({ median }) => median === made);
	return own === undefined ? moved(seen.at(-1) as Seen<T>, made) : own.whole;
}

/** The median of each row, `[batch, 1]`, of quantiles `[batch, Q]`. */
export const medianColumn = (g: GraphBuilder, quantiles: readonly number[], whole: Value): Value =>
	g.op('Gather', [whole, g.ints([medianOf(quantiles)])], { axis: 1 }, { shape: [whole.shape[0] as Dim, 1] });

/**
 * A weigher for models that give Q quantiles of each row, `[N, Q]`: a method of values sees their medians in the place of these, and weighs by them as it does by the
 * values of any regression. Its statistics are of the medians, too.
 */
export function overMedian<Statistics>(weigher: Weigher<Statistics>, quantiles: readonly number[]): Weigher<Statistics> {
	const Q = quantiles.length;
	const at = medianOf(quantiles);
	const medians = (whole: Reals): Float32Array => columnOf(whole, Q, at);
	const moved = ({ whole, median }: Seen<Float32Array>, made: Float32Array): Float32Array =>
		whole.map((value, k) => value + Math.fround((made[Math.floor(k / Q)] as number) - (median[Math.floor(k / Q)] as number)));
	return {
		...weigher,
		refresh: (training) =>
			weigher.refresh({
				...training,
				unimodal: training.unimodal.map(medians),
				fused: async (weights) => medians(await training.fused(weights)),
			}),
		async weigh(examples: JudgedExamples, statistics) {
			const seen: Seen<Float32Array>[] = [];
			const fused = async (weights: Float32Array): Promise<Float32Array> => {
				const whole = await examples.fused(weights);
				const median = medians(whole);
				seen.push({ whole, median });
				return median;
			};
			const { output, own, ...weighed } = await weigher.weigh({ ...examples, unimodal: examples.unimodal.map(medians), fused }, statistics);
			return {
				...weighed,
				output: around(seen, output, moved),
				...(own === undefined ? {} : { own: around(seen, own, moved) }),
			};
		},
		graph(g, { unimodal, present, fused }, statistics) {
			const seen: Seen<Value>[] = [];
			const ofMedians = {
				unimodal: unimodal.map((whole) => medianColumn(g, quantiles, whole)),
				present,
				fused(weights: Value): Value {
					const whole = fused(weights);
					const median = medianColumn(g, quantiles, whole);
					seen.push({ whole, median });
					return median;
				},
			};
			const { output, ...weighed } = weigher.graph(g, ofMedians, statistics);
			return { ...weighed, output: around(seen, output, ({ whole, median }, made) => g.add(whole, g.sub(made, median))) };
		},
	};
}
