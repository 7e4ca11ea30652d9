export { operatorCoverage, type OperatorCoverage } from './coverage.js';
export { differentiate, type Gradients } from './differentiate.js';
export { rules, zeros } from './rules/table.js';
export type { Rule, RuleContext, Rules } from './rule.js';
