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
export { linear, linearParameters } from './linear.js';
