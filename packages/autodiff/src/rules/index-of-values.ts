import type { Rules } from '../rule.js';

export const indexOfValues: Rules = {};
