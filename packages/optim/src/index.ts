import { adam } from './adam.js';
import type { Optimizer, OptimizerOptions } from './optimizer.js';
import { sgd } from './sgd.js';

export { clipToNorm, globalNorm } from './global-norm.js';
export { type Kernels, kernelsOver } from './kernels/kernels.js';
export type { Optimizer, OptimizerOptions, StepPlace, UpdateInPlace, VectorsInPlace } from './optimizer.js';
export { initialPlateau, learningRateAt, type PlateauState, plateauAfter, type Schedule } from './schedule.js';

/** The optimizer of that name. */
export const optimizer = (options: OptimizerOptions): Optimizer =>
	options.name === 'sgd' || options.name === 'momentum' ? sgd(options) : adam(options);
