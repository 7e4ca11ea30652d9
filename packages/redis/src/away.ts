/**
 * Whether an error says that Redis cannot be reached, or cannot work now: ioredis gave a command up after its retries, or at once where its connection was
 * closed or never came about, or the server answered that it still loads its data, has lost its primary, takes no writes (in a transaction that is EXECABORT), has
 * given the keys to another node of its cluster, or no longer knows this user; or no sentinel knew where it is. Such an error may pass without a change of the command.
 */
export function isRedisAway(error: unknown): boolean {
	if (!(error instanceof Error)) return false;
	return (
		error.name === 'MaxRetriesPerRequestError' ||
		error.message === 'Connection is closed.' ||
		error.message.startsWith('All sentinels are unreachable') ||
		(error as NodeJS.ErrnoException).syscall === 'connect' ||
		/(^|-)(LOADING|READONLY|MASTERDOWN|OOM|MISCONF|NOREPLICAS|CLUSTERDOWN|MOVED|TRYAGAIN|NOAUTH|NOPERM|WRONGPASS|EXECABORT) /.test(
			error.message,
		)
	);
}
