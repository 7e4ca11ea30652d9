import type { Standardisation } from '@steelyard/dataset';
import type { GraphBuilder, Value } from '@steelyard/onnx';

/** (x − mean)·inverse over the last axes, of x as float32: the one form for training, prediction and export; x itself where there is none. */
export function standardised(g: GraphBuilder, x: Value, by: Standardisation | null): Value {
	if (by === null) return x;
	return g.mul(g.sub(g.cast(x, 'float32'), g.constant('float32', by.shape, by.mean)), g.constant('float32', by.shape, by.inverse));
}
