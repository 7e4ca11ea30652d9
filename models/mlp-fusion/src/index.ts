export { mlpFusion } from './mlp-fusion.js';
export type { Family, ModalityInput, ModalityShape, ParameterSpec } from './family.js';
