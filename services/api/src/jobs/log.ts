import type { JobLogLine, List, LogQuery, StoredLogLine } from '@steelyard/contracts';
import { jobKeys, listLogs, type Store } from '@steelyard/store';
import { unknownCursor } from '../resources/page.js';

/** The place of a line: its attempt, and its number in it, both counted from 1. */
type Place = { attempt: number; line: number };
type Raw = Place & { text: string };

function placeOf(id: string): Place {
	const [attempt = 0, line = 0] = id.split('-').map(Number);
	return { attempt, line };
}

/** The lines of the log of an attempt. What follows the last newline is still being written, or was never finished. */
async function linesOf(store: Store, id: string, attempt: number): Promise<Raw[]> {
	const text = (await store.get(jobKeys.log(id, attempt)))?.toString() ?? '';
	return text
		.split('\n')
		.slice(0, -1)
		.map((line, i) => ({ attempt, line: i + 1, text: line }));
}

/** A line as clients see it; nothing where it is none, because it was written in part on a full disk. */
function shown({ attempt, line, text }: Raw): JobLogLine[] {
	try {
		const { at, level, source, message } = JSON.parse(text) as StoredLogLine;
		return [{ id: `${attempt}-${line}`, at, attempt, level, source, message }];
	} catch {
		return [];
	}
}

/** The last lines of a log. It reads the logs of the attempts from the last one on, until it has enough. */
async function lastLines(store: Store, id: string, attempts: readonly number[], limit: number): Promise<JobLogLine[]> {
	let last: JobLogLine[] = [];
	for (const attempt of attempts.toReversed()) {
		last = [...(await linesOf(store, id, attempt)).slice(-limit).flatMap(shown), ...last];
		if (last.length >= limit) break;
	}
	return last.slice(-limit);
}

/** A page of the log of a job, oldest line first. Throws ProblemError `invalid_request` where there is no line `after`. */
export async function logPage(store: Store, id: string, { limit, after }: LogQuery): Promise<List<JobLogLine>> {
	const attempts = await listLogs(store, id);
	if (after === undefined) return { object: 'list', data: await lastLines(store, id, attempts, limit), has_more: false };
	const { attempt: first, line: last } = placeOf(after);
	const found: JobLogLine[] = [];
	for (const attempt of attempts) {
		if (attempt < first) continue;
		const lines = await linesOf(store, id, attempt);
		if (attempt === first && last > lines.length) throw unknownCursor(after);
		found.push(
			...lines
				.slice(attempt === first ? last : 0)
				.slice(0, limit + 1)
				.flatMap(shown),
		);
		if (found.length > limit) break;
	}
	if (!attempts.includes(first)) throw unknownCursor(after);
	return { object: 'list', data: found.slice(0, limit), has_more: found.length > limit };
}
