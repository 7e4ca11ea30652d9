export { type Family, type Fused, type ModalityInput, type ModalityShape, onlyLogits, type WeightedEmbedding } from './family.js';
export { type ForwardContext, inference } from './forward-context.js';
export type { Initialisation, ParameterSpec } from './parameter-spec.js';
