export { type Attributes, broadcastShapes, elementCount, float, GraphBuilder } from './builder.js';
export { canonicalise, type CanonicaliseOptions } from './canonicalise.js';
export { decodeModel } from './decode.js';
export { encodeModel } from './encode.js';
export {
	allValues,
	type Attribute,
	type Dim,
	type Graph,
	GraphError,
	type GraphErrorCode,
	type Model,
	type Node,
	OPSET,
	type Shape,
	staticShape,
	type Value,
} from './graph.js';
export { operators } from './operators.js';
