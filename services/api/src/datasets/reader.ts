import { fileURLToPath } from 'node:url';
import { ProblemError } from '@steelyard/contracts';
import { type BoundedChild, type ChildLimits, howItEnded, memoryText, type OrderEnd, startBoundedChild } from '@steelyard/service-process';
import { createExclusive } from '../resources/exclusive.js';
import type { FromReader, ReadDataset, ToReader } from './protocol.js';

/** The compiled file, by a path that holds from `src` as well as from `dist`. */
const ENTRY = fileURLToPath(new URL('../../dist/datasets/read-child.js', import.meta.url));

/** What the reading of one dataset may take, unless given. */
export const READING: ChildLimits = { ms: 900_000, bytes: 1024 ** 3 };

export type Reader = {
	/** Starts the process that reads, so that an upload does not wait for that. */
	prepare(): void;
	/** Reads a dataset. Throws ProblemError where it is refused. */
	read(order: ToReader): Promise<ReadDataset>;
	/** Ends the process. */
	close(): Promise<void>;
};

/** What was read, by how the order ended. Throws ProblemError, or the error of the system. */
function readOf(end: OrderEnd<FromReader>, { ms, bytes }: ChildLimits): ReadDataset {
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
			if (answer.type === 'read') return { profile: answer.profile, manifest: answer.manifest };
			if (answer.type === 'refused') throw new ProblemError(answer.code, answer.message, answer.param);
			throw Object.assign(new Error(answer.message), { code: answer.code, syscall: answer.syscall });
		}
	}
}

/** Reads datasets in a process of its own, one at a time, since each takes the processor. */
export function openReader({ limits = READING, entry = ENTRY }: { limits?: ChildLimits; entry?: string } = {}): Reader {
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

	return {
		prepare: () => void living(),
		read: (order) =>
			exclusive('', async () => {
				if (closed) throw new ProblemError('unavailable', 'The service is about to end');
				const used = living();
				try {
					return readOf(await used.run<FromReader>(order), limits);
				} finally {
					await renew(used);
				}
			}),
		async close() {
			closed = true;
			await child?.end();
		},
	};
}
