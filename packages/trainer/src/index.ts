export { type Evaluation, evaluateModel } from './evaluate.js';
export type { TrainOptions, TrainOutcome } from './face.js';
export { inspectModel } from './inspect.js';
export { metricsOf, type Predictions } from './metrics.js';
export { train } from './train.js';
export { VERSION } from './version.js';
