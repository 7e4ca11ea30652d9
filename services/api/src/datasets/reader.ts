import { ProblemError, type TablePreview } from '@steelyard/contracts';
import { type BoundedChild, type ChildLimits, howItEnded, memoryText, type OrderEnd, startBoundedChild } from '@steelyard/service-process';
import { READ_ENTRY } from '../entries.js';
import { createExclusive } from '../resources/exclusive.js';
import type { FromReader, ReadDataset, ToReader, Upload } from './protocol.js';

/** What the reading of one dataset may take, unless given. */
export const READING: ChildLimits = { ms: 900_000, bytes: 1024 ** 3 };

export type Reader = {
	/** Starts the process that reads, so that an upload does not wait for that. */
	prepare(): void;
	/** Reads a dataset into `target`, an empty folder. Throws ProblemError where it is refused. */
	read(order: Upload & { target: string }): Promise<ReadDataset>;
	/** Says how a table would be read. Throws ProblemError where it is refused. */
	preview(upload: Upload): Promise<TablePreview>;
	/** Ends the process. */
	close(): Promise<void>;
};

type Answer = Extract<FromReader, { type: 'read' | 'previewed' }>;

/** What was read, by how the order ended. Throws ProblemError, or the error of the system. */
function answerOf(end: OrderEnd<FromReader>, { ms, bytes }: ChildLimits): Answer {
	const refused = (detail: string) => new ProblemError('dataset_too_large', detail, 'file');
	switch (end.type) {
		case 'late':
			throw refused(`Reading the dataset was ended after ${ms / 1000} s, which is the longest that it may take`);
		case 'too big': {
			const reached = end.bytes === null ? 'all the memory' : memoryText(end.bytes);
			throw refused(`Reading the dataset was ended when it had taken ${reached} of the ${memoryText(bytes)} of memory that it may take`);
		}
		case 'crashed':
			throw new ProblemError('invalid_dataset', `The process that read the dataset ${howItEnded(end)}`, 'file');
		case 'answered': {
			const { answer } = end;
			if (answer.type === 'read' || answer.type === 'previewed') return answer;
			if (answer.type === 'refused') throw new ProblemError(answer.code, answer.message, answer.param);
			throw Object.assign(new Error(answer.message), { code: answer.code, syscall: answer.syscall });
		}
	}
}

/** Reads datasets in a process of its own, one at a time, since each takes the processor. */
export function openReader({ limits = READING, entry = READ_ENTRY }: { limits?: ChildLimits; entry?: string } = {}): Reader {
	const exclusive = createExclusive();
	let child: BoundedChild | null = null;
	let closed = false;

	function living(): BoundedChild {
		if (child === null || !child.isAlive) child = startBoundedChild({ entry, limits });
		return child;
	}

	/** A process that has taken much memory once may not give it back. */
	async function renew(used: BoundedChild): Promise<void> {
		if (used.isAlive && ((await used.peak()) ?? 0) < limits.bytes / 4) return;
		await used.end();
		if (!closed) living();
	}

	const ask = <T extends Answer['type']>(order: ToReader, type: T): Promise<Extract<Answer, { type: T }>> =>
		exclusive('', async () => {
			if (closed) throw new ProblemError('unavailable', 'The service is about to end');
			const used = living();
			try {
				const answer = answerOf(await used.run<FromReader>(order), limits);
				if (answer.type !== type) throw new Error(`the reader of datasets answered ${answer.type} where ${type} was asked`);
				return answer as Extract<Answer, { type: T }>;
			} finally {
				await renew(used);
			}
		});

	return {
		prepare: () => void living(),
		async read(order) {
			const { profile, manifest } = await ask(order, 'read');
			return { profile, manifest };
		},
		preview: async (upload) => (await ask({ ...upload, target: null }, 'previewed')).preview,
		async close() {
			closed = true;
			await child?.end();
		},
	};
}
