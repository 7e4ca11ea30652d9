import type { Rules } from '../rule.js';

export const convolve: Rules = {};
