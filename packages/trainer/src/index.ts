export { type Evaluation, evaluateModel } from './job/evaluate.js';
export type { Measurement, TrainOptions, TrainOutcome } from './job/face.js';
export { train } from './job/train.js';
export { VERSION } from './job/version.js';
export { metricsOf } from './report/metrics.js';
export type { Predictions } from './report/predictions.js';
export {
	type FixedPredictions,
	type PredictionWeighting,
	predictionNeeds,
	type WeighedPredictions,
	weighPredictions,
} from './weighting/weigh-predictions.js';
