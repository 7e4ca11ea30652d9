export { rungsOf } from './asha.js';
export { nextDecision } from './decide.js';
export { gridSize } from './grid.js';
export { importance, LEAST_FOR_IMPORTANCE } from './importance.js';
export { type Leaderboard, leaderboard, type RankedAssignment, type RankedTrial, type TrialState } from './leaderboard.js';
export { assignmentsOf, type Decision, type Outcome, type Outcomes, type Promotion, type Start, type SweepPlan } from './plan.js';
export type { Assignment } from './space.js';
