import { type JobNotice, listedJob } from '@steelyard/contracts';
import type { Notice, NoticeOptions, Queue, Work } from '@steelyard/queue';
import { openAddresses, type Resolve } from './addresses.js';
import { post } from './post.js';
import { signatureHeaders } from './sign.js';

/** The body of the notice of a job that has ended. It is the same in every attempt while the job is not renamed. */
function bodyOf({ job }: Notice): string {
	const { notified: _, ...ended } = listedJob(job);
	const notice: JobNotice = {
		type: `job.${job.status}` as JobNotice['type'],
		timestamp: new Date((job.finished_at ?? 0) * 1000).toISOString(),
		data: { job: ended },
	};
	return JSON.stringify(notice);
}

export type Notifying = Omit<NoticeOptions, 'send'> & {
	queue: Queue;
	/** Ranges of addresses that are not public, and to which notices are sent all the same. */
	networks: readonly string[];
	/** How names are resolved; by the system unless given. */
	resolve?: Resolve;
	/** Milliseconds that one attempt may take; 10,000 unless given. */
	longestMs?: number;
};

/** Sends the notices of jobs that have ended, until it is closed. */
export function startNotifying({ queue, networks, resolve, longestMs, ...options }: Notifying): Work {
	const addressOf = openAddresses(networks, resolve);
	return queue.notices.work({
		...options,
		async send(notice) {
			const { id, url, secret } = notice;
			const body = bodyOf(notice);
			const timestamp = Math.floor(Date.now() / 1000);
			const headers = {
				'content-type': 'application/json',
				'user-agent': 'steelyard',
				...signatureHeaders(secret, { id, timestamp, body }),
			};
			await post({ url, headers, body }, addressOf, longestMs);
		},
	});
}
