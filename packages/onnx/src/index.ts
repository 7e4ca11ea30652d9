export { withoutWeights } from './ask-runtime.js';
export { type AttributeReader, readAttributes, withAttributes, withoutAttributes } from './attributes.js';
export { bodiesOf, captured, graphsWithin, namesOf, readsOf, withBodies, withoutUnused } from './bodies.js';
export { type Attributes, broadcastShapes, elementCount, float, GraphBuilder } from './builder.js';
export { type CanonicaliseOptions, canonicalise } from './canonicalise.js';
export { checked, elementsOf } from './check.js';
export { composites, expansions } from './composites/table.js';
export { withConstantNodes } from './constant-nodes.js';
export { withCudaForms } from './cuda-forms.js';
export { type DecodeOptions, decodeModel } from './decode.js';
export { dependentsOf } from './dependents.js';
export { isForeign, listOperators, type OperatorUse, operatorUses, unknownDomain } from './domains.js';
export { encodeModel } from './encode.js';
export { MOST_BYTES, type ReadExternal, withExternalData } from './external-data.js';
export { type FinalActivation, finalActivation } from './final-activation.js';
export { type FlatNode, flatNodes } from './flat-nodes.js';
export { withFloat16Edges } from './float16-edges.js';
export { toWorkingOpset } from './forms.js';
export {
	type Attribute,
	allValues,
	type Dim,
	type Graph,
	GraphError,
	type GraphErrorCode,
	type Model,
	type Node,
	OPSET,
	positiveAxis,
	type Shape,
	staticShape,
	type Value,
} from './graph.js';
export { inHalfPrecision } from './half-precision.js';
export { HALVES, type Half } from './halves.js';
export { interfaceOf } from './interface.js';
export { metadataOf } from './metadata.js';
export { numbersOf } from './numbers.js';
export { operators } from './operators.js';
export { type OptimiseOptions, optimised } from './optimise/optimise.js';
export { withoutOutputCopies } from './output-copies.js';
export { type Parameter, type ParameterKind, parametersOf } from './parameters.js';
export { poolBeforeRelu } from './pool-before-relu.js';
export { type Activation, gruStep, type LstmOptions, lstmStep } from './recurrent-cells.js';
export { reducedTo } from './reduced-to.js';
export { type Naming, renamed, renamedNode } from './rename.js';
export { replaceInitializers } from './replace-initializers.js';
export { roundedProducts } from './rounded-products.js';
export { forWebgpu } from './webgpu/for-webgpu.js';
export { narrow } from './webgpu/narrow.js';
export { withoutKernel } from './webgpu/without-kernel.js';
export { winogradConvolutions } from './winograd.js';
