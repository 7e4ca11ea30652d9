import type { Rules } from '../rule.js';

export const loss: Rules = {};
