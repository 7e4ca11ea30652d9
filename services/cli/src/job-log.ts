import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@steelyard/client';
import type { JobLogLine } from '@steelyard/contracts';
import { timeText } from './units.js';

/** Milliseconds between two looks at a log that is followed. */
const EVERY = 1000;

/** A line to read: `2026-11-28 19:43:05 attempt 1 warn stderr: out of luck`. */
const lineText = ({ at, attempt, level, source, message }: JobLogLine): string =>
	`${timeText(Math.floor(at / 1000))} attempt ${attempt} ${level}${source === 'worker' ? '' : ` ${source}`}: ${message}`;

/** Prints lines of a log, as text or each as one line of JSON. */
export function printLines(json: boolean, lines: readonly JobLogLine[]): void {
	for (const line of lines) process.stdout.write(`${json ? JSON.stringify(line) : lineText(line)}\n`);
}

/** Gives `take` what follows the line `after` in the log of a job as it comes, until the job has ended. Without `after` it begins with what is there. */
export async function followLog(client: Client, id: string, after: string | undefined, take: (lines: JobLogLine[]) => void): Promise<void> {
	for (let last = after; ; ) {
		// The end is looked for first: what was logged up to then is in the page that follows.
		const isOver = (await client.jobs.get(id)).finished_at !== null;
		const { data, has_more } = await client.jobs.logs(id, last === undefined ? {} : { after: last });
		take(data);
		last = data.at(-1)?.id ?? last;
		if (has_more) continue;
		if (isOver) return;
		await sleep(EVERY);
	}
}
