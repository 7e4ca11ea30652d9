import { ProblemError } from '@steelyard/contracts';
import { isRedisAway } from '@steelyard/redis';

/** The same methods, which reject with ProblemError `unavailable` where they met a Redis that is away. */
export function orUnavailable<T extends Record<string, (...args: never[]) => Promise<unknown>>>(methods: T): T {
	const wrapped = Object.entries(methods).map(([name, method]) => [
		name,
		async (...args: never[]) => {
			try {
				return await method(...args);
			} catch (error) {
				if (isRedisAway(error)) throw new ProblemError('unavailable', 'Redis, which keeps the jobs, cannot be reached');
				throw error;
			}
		},
	]);
	return Object.fromEntries(wrapped) as T;
}
