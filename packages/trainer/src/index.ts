export type { TrainOptions, TrainOutcome } from './face.js';
