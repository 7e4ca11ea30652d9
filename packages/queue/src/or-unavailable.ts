import { ProblemError } from '@steelyard/contracts';
import { isRedisAway } from '@steelyard/redis';

/** What Redis said where it answered and would not work, such as "OOM command not allowed". */
const refusalOf = (error: unknown): string | null => (error instanceof Error && error.name === 'ReplyError' ? error.message : null);

function asUnavailable(error: unknown): unknown {
	if (!isRedisAway(error)) return error;
	const refusal = refusalOf(error);
	return new ProblemError(
		'unavailable',
		refusal === null ? 'Redis, which keeps the jobs, cannot be reached' : `Redis, which keeps the jobs, refuses: ${refusal}`,
	);
}

/**
 * Waits for a result for at most `ms` milliseconds, as long as it takes where that is null. Rejects with ProblemError `unavailable` where it takes longer,
 * and where it met a Redis that is away.
 *
 * @param late is called with a result that came too late
 */
export async function within<T>(ms: number | null, result: Promise<T>, late: (value: T) => void = () => {}): Promise<T> {
	let timer: NodeJS.Timeout | undefined;
	let isLate = false;
	const over = new Promise<never>((_, reject) => {
		if (ms === null) return;
		timer = setTimeout(() => {
			isLate = true;
			reject(new ProblemError('unavailable', `Redis, which keeps the jobs, or the data folder did not answer within ${ms / 1000} s`));
		}, ms);
	});
	result.then(
		(value) => isLate && late(value),
		() => {},
	);
	try {
		return await Promise.race([result, over]);
	} catch (error) {
		throw asUnavailable(error);
	} finally {
		clearTimeout(timer);
	}
}

/** The same methods, whose results are waited for as by `within`. */
export function orUnavailable<T extends Record<string, (...args: never[]) => Promise<unknown>>>(ms: number | null, methods: T): T {
	const wrapped = Object.entries(methods).map(([name, method]) => [name, (...args: never[]) => within(ms, method(...args))]);
	return Object.fromEntries(wrapped) as T;
}
