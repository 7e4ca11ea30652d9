export { type AttentionInputs, attention, attentionParameters } from './attention.js';
export {
	type Family,
	type ForwardContext,
	type Fused,
	type Initialisation,
	inference,
	type ModalityInput,
	type ModalityShape,
	onlyLogits,
	type ParameterSpec,
	type WeightedEmbedding,
} from './family.js';
export { linear, linearParameters, linearPerToken } from './linear.js';
export {
	evenTimes,
	type TimeAttentionInputs,
	type TimeAttentionSize,
	timeAttention,
	timeAttentionParameters,
} from './time-attention.js';
