export * from './dataset.js';
export * from './event.js';
export * from './job.js';
export * from './mlp-fusion.js';
export * from './problems.js';
export * from './resources.js';
export * from './spec.js';
export * from './validate.js';
