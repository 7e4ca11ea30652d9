import type { JobResource } from '@steelyard/contracts';
import { flatten } from './spec-differences.js';

/** Jobs whose specs are equal but for the seed and what says nothing of the training. */
export type SeedGroup<Job> = { readonly jobs: readonly Job[] };

const SEED = 'training.seed';
const isAside = (field: string): boolean => field === SEED || /^(name$|metadata(\.|$)|priority$)/.test(field);

/** Jobs in groups that differ by their seeds alone, in the order of their first jobs. */
export function seedGroups<Job extends Pick<JobResource, 'spec'>>(jobs: readonly Job[]): SeedGroup<Job>[] {
	const groups = new Map<string, Job[]>();
	for (const job of jobs) {
		const key = JSON.stringify([...flatten(job.spec)].filter(([field]) => !isAside(field)).sort());
		groups.set(key, [...(groups.get(key) ?? []), job]);
	}
	return [...groups.values()].map((of) => ({ jobs: of }));
}

/** Quantile 0.975 of Student's t by degrees of freedom, from 1; beyond 30 that of the next smaller one that is here. */
const T: readonly number[] = [
	12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086,
	2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** The mean of some values and half of its 95 % interval by Student's t; null for the half where there is one value. */
export function meanOf(values: readonly number[]): { mean: number; half: number | null } | null {
	const n = values.length;
	if (n === 0) return null;
	const mean = values.reduce((sum, value) => sum + value, 0) / n;
	if (n === 1) return { mean, half: null };
	const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
	return { mean, half: (T[Math.min(n - 1, T.length) - 1] as number) * Math.sqrt(variance / n) };
}
