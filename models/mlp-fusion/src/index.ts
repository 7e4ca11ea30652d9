export { mlpFusion } from './mlp-fusion.js';
