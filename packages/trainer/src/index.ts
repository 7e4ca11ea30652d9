export { GraphError } from '@steelyard/onnx';
export { type DifferentiatedModel, type DifferentiateModelOptions, differentiateModel } from './differentiate-model.js';
export { type Evaluation, evaluateModel } from './evaluate.js';
export type { TrainOptions, TrainOutcome } from './face.js';
export { inspectModel } from './inspect.js';
export { metricsOf, type Predictions } from './metrics.js';
export { train } from './train.js';
export { VERSION } from './version.js';
