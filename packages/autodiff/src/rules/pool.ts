import type { Rules } from '../rule.js';

export const pool: Rules = {};
