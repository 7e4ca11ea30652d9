import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@steelyard/client';
import type { SweepResource } from '@steelyard/contracts';
import { liveLine } from './live-line.js';
import { EXIT, print } from './output.js';
import { sweepLine, sweepText } from './sweep-text.js';

/** Milliseconds between two looks at a sweep. */
const DELAY = 1000;

/** Shows a sweep until it ends; Ctrl-C leaves it running. Resolves with the exit code. */
export async function watchSweep(client: Client, watched: SweepResource, json: boolean): Promise<number> {
	const leaving = new AbortController();
	const leave = (): void => leaving.abort();
	process.once('SIGINT', leave);
	const line = process.stderr.isTTY ? liveLine(process.stderr) : null;
	let sweep = watched;
	let said = '';
	try {
		while (sweep.finished_at === null && !leaving.signal.aborted) {
			const text = sweepLine(sweep);
			if (line !== null) line.draw((columns) => text.slice(0, columns));
			else if (text !== said) process.stderr.write(`${text}\n`);
			said = text;
			await pause(DELAY, undefined, { signal: leaving.signal }).catch(() => {});
			sweep = await client.sweeps.get(sweep.id);
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
