import type { GraphBuilder, Value } from '@steelyard/onnx';

/** Mean and inverse deviation of each feature of a modality, both `[features]`. */
export type Standardisation = { readonly mean: Float32Array; readonly inverse: Float32Array };

/** (x − mean)·inverse over the last axis, the one form for training, prediction and export; x itself where there is none. */
export function standardised(g: GraphBuilder, x: Value, by: Standardisation | null): Value {
	if (by === null) return x;
	const features = [by.mean.length];
	return g.mul(g.sub(x, g.constant('float32', features, by.mean)), g.constant('float32', features, by.inverse));
}
