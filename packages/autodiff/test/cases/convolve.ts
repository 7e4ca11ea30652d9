import type { Case } from '../gradient-check.js';

export const convolveCases: Record<string, Case[]> = {};
