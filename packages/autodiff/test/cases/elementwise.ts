import type { Case } from '../gradient-check.js';

export const elementwiseCases: Record<string, Case[]> = {};
