export { evaluateModel, type Evaluation } from './evaluate.js';
export type { TrainOptions, TrainOutcome } from './face.js';
export { metricsOf, type Predictions } from './metrics.js';
export { train } from './train.js';
export { VERSION } from './version.js';
