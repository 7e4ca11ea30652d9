export { isZip } from '@steelyard/archive';
export { GraphError } from '@steelyard/onnx';
export { type DifferentiatedModel, type DifferentiateModelOptions, differentiateModel } from './differentiate-model.js';
export { type InspectOptions, inspectModel } from './inspect-model.js';
export { readModelArchive } from './read-model-archive.js';
export { readModelFile } from './read-model-file.js';
