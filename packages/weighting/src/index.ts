export { mutualInformationArgmax } from './argmax-information.js';
export { type Grid, gridValues, LOG_PROBABILITY_FLOOR } from './ballot.js';
export {
	type SmoothingConfig,
	usesDivergence,
	usesInformation,
	WEIGHTING_PRESET_NAMES,
	type WeightingConfig,
	type WeightingPresetName,
	weightingPreset,
} from './configuration.js';
export {
	type Consensus,
	type ConsensusInput,
	type ConsensusStatistics,
	consensus,
	fusedShare,
	joinConsensus,
	LATE_SHARE,
	MISSING_FACTOR,
} from './consensus.js';
export { type ConsensusFitInput, fitConsensus } from './consensus-fit.js';
export { CONFIDENCE_FLOOR, type EnergyInput, energyWeights } from './energy-weights.js';
export { type DivergenceInput, FIXED_SIGMA, instanceDivergence, SIGMA_FLOOR } from './instance-divergence.js';
export { type KsgNoise, type KsgOptions, mutualInformationKsg } from './kraskov.js';
export { INFORMATION_FLOOR, type InformationEstimator, type InformationInput, modalityInformation } from './modality-information.js';
export { DIVERGENCE_RESOLUTION, fitMinMax, type MinMax, minMaxScale, normaliseMinMax, normaliseRow } from './normalise.js';
export { type PartialInformation, type PartialInformationShape, partialInformation } from './partial-information.js';
export { oracleSigma, residualSigma } from './residual-sigma.js';
export { adaptSmoothing, smooth } from './smoothing.js';
export { summariseWeights, type WeightSummary } from './summary.js';
export type { Presence, Reals, WeightingTask } from './task.js';
export {
	type DivergenceSummary,
	type Predictions,
	summariseDivergence,
	type WeighedPredictions,
	weighPredictions,
} from './weigh-predictions.js';
export { WeightingError, type WeightingErrorCode } from './weighting-error.js';
export { FACTOR_FLOOR, informationFactors, instanceWeights, modalityWeights, type WeightStatistics } from './weights.js';
