import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { sizeOf, type Tensor } from '@steelyard/runtime';
import { ModelProtoSchema } from 'onnx-buf';
import { dataTypeOf } from './data-types.js';
import { GraphError } from './graph.js';

/** The same serialised model with other numbers in the named initializers; all else is kept. Throws GraphError for a name that is none, another dtype or shape. */
export function replaceInitializers(bytes: Uint8Array, values: ReadonlyMap<string, Tensor>): Uint8Array {
	const proto = fromBinary(ModelProtoSchema, bytes);
	const initializers = new Map((proto.graph?.initializer ?? []).map((initializer) => [initializer.name, initializer]));
	for (const [name, { dtype, shape, data }] of values) {
		const initializer = initializers.get(name);
		if (initializer === undefined) throw new GraphError('malformed_model', `the model has no initializer "${name}"`, name);
		const dims = initializer.dims.map(Number);
		if (initializer.dataType !== dataTypeOf(dtype) || dims.length !== shape.length || sizeOf(dims) !== sizeOf(shape))
			throw new GraphError('malformed_model', `the initializer "${name}" has the shape [${dims}], found ${dtype} [${shape}]`, name);
		initializer.rawData = new Uint8Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer);
		initializer.floatData = [];
	}
	return toBinary(ModelProtoSchema, proto);
}
