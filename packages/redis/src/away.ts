/**
 * Whether an error says that Redis cannot be reached, or cannot work yet: ioredis gave a command up after its retries, or at once where its connection
 * was closed or never came about, or the server answered that it still loads its data or has lost its primary. Such an error may pass by itself.
 */
export function isRedisAway(error: unknown): boolean {
	if (!(error instanceof Error)) return false;
	return (
		error.name === 'MaxRetriesPerRequestError' ||
		error.message === 'Connection is closed.' ||
		(error as NodeJS.ErrnoException).syscall === 'connect' ||
		/^(LOADING|READONLY|MASTERDOWN) /.test(error.message)
	);
}
