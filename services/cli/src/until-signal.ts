/** Runs `work`; Ctrl-C or SIGTERM calls `stop` once, a second one `force`. Resolves with the signal's exit code, or null when the work ended by itself. */
export async function untilSignal(work: Promise<unknown>, stop: () => Promise<void>, force: () => void): Promise<number | null> {
	let stopping: Promise<void> | null = null;
	let code: number | null = null;
	let heard: () => void = () => {};
	const signalled = new Promise<void>((resolve) => {
		heard = resolve;
	});
	const on = (signal: NodeJS.Signals): void => {
		if (stopping !== null) {
			force();
			process.exit(signal === 'SIGINT' ? 130 : 143);
		}
		code = signal === 'SIGINT' ? 130 : 143;
		stopping = stop();
		heard();
	};
	process.on('SIGINT', on);
	process.on('SIGTERM', on);
	try {
		await Promise.race([work, signalled]);
		await stopping;
		return code;
	} finally {
		process.off('SIGINT', on);
		process.off('SIGTERM', on);
	}
}
