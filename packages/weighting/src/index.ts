export { mutualInformationArgmax } from './argmax-information.js';
export { type Grid, gridValues, LOG_PROBABILITY_FLOOR } from './ballot.js';
export { columnOf } from './column.js';
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
export { type Deviations, type DeviationsInput, deviations, type SigmaChoice, unimodalDeviations } from './deviations.js';
export { type DivergenceInput, FIXED_SIGMA, instanceDivergence, SIGMA_FLOOR } from './instance-divergence.js';
export { type KsgNoise, type KsgOptions, mutualInformationKsg } from './kraskov.js';
export { INFORMATION_FLOOR, type InformationEstimator, type InformationInput, modalityInformation } from './modality-information.js';
export { DIVERGENCE_RESOLUTION, fitMinMax, type MinMax, minMaxScale, normaliseMinMax, normaliseRow } from './normalise.js';
export { type PartialInformation, type PartialInformationShape, partialInformation } from './partial-information.js';
export { CONFIDENCE_FLOOR, type QmfInput, qmfWeights } from './qmf-weights.js';
export { quantile } from './quantile.js';
export { oracleSigma, residualSigma } from './residual-sigma.js';
export { adaptSmoothing, type Smoothing, smooth } from './smoothing.js';
export { type DivergenceSummary, summariseDivergence, summariseWeights, type WeightSummary } from './summary.js';
export { outputWidth, type Presence, type Reals, rowsOf, type WeightingTask } from './task.js';
export { uniformWeights } from './uniform-weights.js';
export { WeightingError, type WeightingErrorCode } from './weighting-error.js';
export {
	FACTOR_FLOOR,
	informationFactors,
	instanceWeights,
	type ModalityFormula,
	modalityWeights,
	usesDivergence,
	usesInformation,
	type WeightFormula,
	type WeightStatistics,
} from './weights.js';
