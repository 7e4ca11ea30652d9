export { type OperatorCoverage, operatorCoverage } from './coverage.js';
export { type DifferentiateOptions, differentiate, type Gradients } from './differentiate.js';
export { gradientPaths } from './gradient-paths.js';
export type { Rule, RuleContext, Rules } from './rule.js';
export { rules, zeros } from './rules/table.js';
