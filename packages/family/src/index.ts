export {
	type Family,
	type Fused,
	type ModalityInput,
	type ModalityShape,
	onlyLogits,
	stepsOfEncoder,
	type WeightedEmbedding,
} from './family.js';
export { type ForwardContext, inference } from './forward-context.js';
export {
	exactly,
	type Initialisation,
	type Meets,
	meeting,
	multiplyAdds,
	ofEncoder,
	type ParameterSpec,
	parameterSpec,
} from './parameter-spec.js';
