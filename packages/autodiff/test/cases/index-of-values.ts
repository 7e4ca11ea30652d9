import type { Case } from '../gradient-check.js';

export const indexCases: Record<string, Case[]> = {};
