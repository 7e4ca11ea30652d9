import { ProblemError } from '@steelyard/contracts';

const isUnreachable = (error: unknown): boolean =>
	error instanceof Error &&
	(error.name === 'MaxRetriesPerRequestError' ||
		error.message === 'Connection is closed.' ||
		/^(LOADING|READONLY|MASTERDOWN) /.test(error.message));

/** The same methods, which say in the user's words that Redis cannot be reached. */
export function reported<T extends Record<string, (...args: never[]) => Promise<unknown>>>(methods: T): T {
	const wrapped = Object.entries(methods).map(([name, method]) => [
		name,
		async (...args: never[]) => {
			try {
				return await method(...args);
			} catch (error) {
				if (isUnreachable(error)) throw new ProblemError('unavailable', 'Redis, which keeps the jobs, cannot be reached');
				throw error;
			}
		},
	]);
	return Object.fromEntries(wrapped) as T;
}
