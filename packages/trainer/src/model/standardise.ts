import type { Standardisation } from '@steelyard/dataset';
import type { GraphBuilder, Value } from '@steelyard/onnx';

/** (x − mean)·inverse over the last axis, the one form for training, prediction and export; x itself where there is none. */
export function standardised(g: GraphBuilder, x: Value, by: Standardisation | null): Value {
	if (by === null) return x;
	const features = [by.mean.length];
	return g.mul(g.sub(x, g.constant('float32', features, by.mean)), g.constant('float32', features, by.inverse));
}
