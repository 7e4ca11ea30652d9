export { type AttentionInputs, attention, attentionParameters } from './attention.js';
export { gelu } from './gelu.js';
export { layerNorm, layerNormParameters } from './layer-norm.js';
export { linear, linearParameters, linearPerToken } from './linear.js';
export { meanOfTokens, tokenParameters } from './mean-of-tokens.js';
export { meanOver } from './mean-over.js';
export { type ExpertsSize, mixtureOfExperts } from './mixture-of-experts.js';
export { type Choice, type Gate, type RouterSize, type Routing, route } from './router.js';
export { encodeSequence, type SequenceEncoder, sequenceParameters, sequenceWidth } from './sequence.js';
export {
	balanceLoss,
	type ExpertsConfig,
	expertSetsOf,
	expertsSize,
	routerSize,
	routersOf,
	sharedExpertsParameters,
} from './shared-experts.js';
export {
	evenTimes,
	type TimeAttentionInputs,
	type TimeAttentionSize,
	timeAttention,
	timeAttentionParameters,
} from './time-attention.js';
