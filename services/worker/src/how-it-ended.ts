/** How a process ended that crashed, in words for the user. */
export const howItEnded = ({ code, signal }: { code: number | null; signal: NodeJS.Signals | null }): string =>
	signal === null
		? `ended with exit code ${code}`
		: `was ended by ${signal}${signal === 'SIGKILL' ? ' (as the system does when memory runs out)' : ''}`;
