import { setTimeout as pause } from 'node:timers/promises';
import { type Client, SteelyardError } from '@steelyard/client';
import type { SweepResource } from '@steelyard/contracts';
import { liveLine } from './live-line.js';
import { EXIT, print } from './output.js';
import { sweepLine, sweepText } from './sweep-text.js';

/** Milliseconds between two looks at a sweep; while the service does not answer each wait is twice as long, up to the second. */
const DELAY = 1000;
const LONGEST_DELAY = 10_000;
/** Looks in a row that may fail while the service is away, as it is when it starts again: as many as `jobs watch` lets fail. */
const MOST_FAILURES = 20;

/** Whether a look that failed so may succeed later. */
const mayPass = (error: unknown): boolean =>
	error instanceof SteelyardError && (error.status === 0 || error.status === 429 || error.status >= 500);

/** Shows a sweep until it ends; Ctrl-C leaves it running. Resolves with the exit code. */
export async function watchSweep(client: Client, watched: SweepResource, json: boolean): Promise<number> {
	const leaving = new AbortController();
	const leave = (): void => leaving.abort();
	process.once('SIGINT', leave);
	const line = process.stderr.isTTY ? liveLine(process.stderr) : null;
	let sweep = watched;
	let said = '';
	let failures = 0;
	try {
		while (sweep.finished_at === null && !leaving.signal.aborted) {
			const text = failures === 0 ? sweepLine(sweep) : `the service does not answer; ${sweepLine(sweep)} when it last did`;
			if (line !== null) line.draw((columns) => text.slice(0, columns));
			else if (text !== said) process.stderr.write(`${text}\n`);
			said = text;
			const wait = Math.min(LONGEST_DELAY, DELAY * 2 ** Math.max(0, failures - 1));
			await pause(wait, undefined, { signal: leaving.signal }).catch(() => {});
			try {
				sweep = await client.sweeps.get(sweep.id);
				failures = 0;
			} catch (error) {
				if (!mayPass(error) || ++failures > MOST_FAILURES) throw error;
			}
		}
	} finally {
		line?.close();
		process.off('SIGINT', leave);
	}
	const goesOn = sweep.finished_at === null;
	if (goesOn) process.stderr.write(`${sweep.id} goes on; watch it again by: npx steelyard sweeps watch ${sweep.id}\n`);
	print(json, sweep, sweepText(sweep));
	return goesOn ? 130 : sweep.status === 'succeeded' ? EXIT.done : EXIT.failed;
}
