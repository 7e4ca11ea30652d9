import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { GraphError } from './graph.js';

/** The `metadata_props` of a serialised model, also of one whose graph we could not read. Throws GraphError where the bytes are no model. */
export function metadataOf(bytes: Uint8Array): Record<string, string> {
	try {
		return Object.fromEntries(fromBinary(ModelProtoSchema, bytes).metadataProps.map(({ key, value }) => [key, value]));
	} catch (error) {
		throw new GraphError('malformed_model', `the bytes are no ONNX model: ${error instanceof Error ? error.message : String(error)}`);
	}
}
