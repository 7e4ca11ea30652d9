import { type DatasetRows, ProblemError } from '@steelyard/contracts';
import { type BoundedChild, type ChildLimits, howItEnded, startBoundedChild } from '@steelyard/service-process';
import { ROWS_ENTRY } from '../entries.js';
import { createExclusive } from '../resources/exclusive.js';
import type { FromRowReader, ToRowReader } from './protocol.js';

/** What the reading of the rows of one request may take: they are few, and none is large. */
const LIMITS: ChildLimits = { ms: 30_000, bytes: 512 * 1024 ** 2 };

export type RowReader = {
	/** Reads some rows. Throws ProblemError, or the error of the system. */
	read(order: ToRowReader): Promise<DatasetRows>;
	/** Ends the process. */
	close(): Promise<void>;
};

/** Reads rows of datasets in a process of its own, which the first request starts, one request at a time. */
export function openRowReader(): RowReader {
	const exclusive = createExclusive();
	let child: BoundedChild | null = null;
	let closed = false;
	return {
		read: (order) =>
			exclusive('', async () => {
				if (closed) throw new ProblemError('unavailable', 'The service is about to end');
				if (child === null || !child.isAlive) child = startBoundedChild({ entry: ROWS_ENTRY, limits: LIMITS });
				const end = await child.run<FromRowReader>(order);
				if (end.type !== 'answered') {
					const how = end.type === 'crashed' ? howItEnded(end) : end.type === 'late' ? 'took too long' : 'took too much memory';
					throw new ProblemError('unavailable', `The process that read the rows ${how}: ask again, or for fewer rows`);
				}
				const { answer } = end;
				if (answer.type === 'rows') return answer.rows;
				if (answer.type === 'refused') throw new ProblemError(answer.code, answer.message, answer.param);
				throw Object.assign(new Error(answer.message), { code: answer.code, syscall: answer.syscall });
			}),
		async close() {
			closed = true;
			await child?.end();
		},
	};
}
