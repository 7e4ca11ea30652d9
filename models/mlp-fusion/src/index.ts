export type { Family, ModalityInput, ModalityShape, ParameterSpec } from './family.js';
export { mlpFusion } from './mlp-fusion.js';
