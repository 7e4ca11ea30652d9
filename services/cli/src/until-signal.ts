import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

/** Signals that come closer together than this are one wish, in milliseconds: a terminal's Ctrl-C reaches npm too, which sends it on. */
const ONE_WISH = 1000;
/** How often it is looked whether npm is still there, in milliseconds. */
const LOOK = 500;

/** Whether this process was told to outlive its terminal, as by nohup. A handler would undo that. */
function outlivesTerminal(): boolean {
	try {
		const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
		return (BigInt(`0x${ignored}`) & 1n) === 1n;
	} catch {
		return false;
	}
}

/**
 * Runs `work`; Ctrl-C, SIGTERM or the end of the terminal calls `stop` once; when it comes again the process leaves at once.
 * Under npm the end of npm is such a sign too: what npm is told, it does not tell further. Resolves with the signal's exit code, or null
 * when the work ended by itself.
 */
export async function untilSignal(work: Promise<unknown>, stop: () => Promise<void>): Promise<number | null> {
	let stopping: Promise<void> | null = null;
	let code: number | null = null;
	let heardAt = 0;
	let heard: () => void = () => {};
	const signalled = new Promise<void>((resolve) => {
		heard = resolve;
	});
	const on = (signal: NodeJS.Signals): void => {
		const now = performance.now();
		if (stopping !== null) {
			if (now - heardAt < ONE_WISH) return;
			process.exit(128 + constants.signals[signal]);
		}
		heardAt = now;
		code = 128 + constants.signals[signal];
		stopping = stop();
		heard();
	};
	const signals: NodeJS.Signals[] = outlivesTerminal() ? ['SIGINT', 'SIGTERM'] : ['SIGINT', 'SIGTERM', 'SIGHUP'];
	for (const signal of signals) process.on(signal, on);
	const parent = process.ppid;
	const watching = setInterval(() => {
		if (process.env['npm_lifecycle_event'] !== undefined && process.ppid !== parent && stopping === null) on('SIGTERM');
	}, LOOK);
	watching.unref();
	try {
		await Promise.race([work, signalled]);
		await stopping;
		return code;
	} finally {
		clearInterval(watching);
		for (const signal of signals) process.off(signal, on);
	}
}
