export { GraphError } from '@steelyard/onnx';
export { type DifferentiatedModel, type DifferentiateModelOptions, differentiateModel } from './differentiate-model.js';
export { type InspectOptions, inspectModel } from './inspect-model.js';
export { readModelFile } from './read-model-file.js';
