import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

/** Signals that follow each other within so many milliseconds count as one: a terminal's Ctrl-C reaches npm too, which sends it on. */
const SAME_SIGNAL_MS = 1000;
/** How often to check that npm is still running, in milliseconds. */
const NPM_CHECK_MS = 500;

/** Whether this process was started to outlive its terminal, as by nohup: a handler of SIGHUP would undo that. */
function outlivesTerminal(): boolean {
	try {
		const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
		return (BigInt(`0x${ignored}`) & 1n) === 1n;
	} catch {
		return false;
	}
}

/**
 * Waits for `work` or a signal. Ctrl-C, SIGTERM or the end of the terminal calls `stop`; a second signal ends the process at once. Where npm started
 * the process, the end of npm counts as SIGTERM, for npm does not pass that on. Resolves with the exit code of the signal, or with null when the work
 * ended by itself.
 */
export async function untilSignal(work: Promise<unknown>, stop: () => Promise<void>): Promise<number | null> {
	let stopping: Promise<void> | null = null;
	let code: number | null = null;
	let signalledAt = 0;
	let signal: () => void = () => {};
	const signalled = new Promise<void>((resolve) => {
		signal = resolve;
	});
	const on = (name: NodeJS.Signals): void => {
		const now = performance.now();
		if (stopping !== null) {
			if (now - signalledAt < SAME_SIGNAL_MS) return;
			process.exit(128 + constants.signals[name]);
		}
		signalledAt = now;
		code = 128 + constants.signals[name];
		stopping = stop();
		signal();
	};
	const signals: NodeJS.Signals[] = outlivesTerminal() ? ['SIGINT', 'SIGTERM'] : ['SIGINT', 'SIGTERM', 'SIGHUP'];
	for (const name of signals) process.on(name, on);
	const parent = process.ppid;
	const watching = setInterval(() => {
		if (process.env['npm_lifecycle_event'] !== undefined && process.ppid !== parent && stopping === null) on('SIGTERM');
	}, NPM_CHECK_MS);
	watching.unref();
	try {
		await Promise.race([work, signalled]);
		await stopping;
		return code;
	} finally {
		clearInterval(watching);
		for (const name of signals) process.off(name, on);
	}
}
