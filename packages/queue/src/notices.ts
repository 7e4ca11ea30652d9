import {
	isFinal,
	type JobResource,
	logFieldsOf,
	NOTIFIED_OF,
	type Notified,
	projectOf,
	type Tally,
	tallyCount,
	type WebhookResource,
} from '@steelyard/contracts';
import type { Log } from '@steelyard/redis';
import { readRecord, type Store, webhookKeys } from '@steelyard/store';
import type { RedisOptions } from 'ioredis';
import { consume } from './consume.js';
import type { Deliveries } from './deliveries.js';
import type { Keys } from './keys.js';
import type { Mirror } from './mirror.js';
import type { Notice, NoticeOptions, Notices, Tallies } from './queue.js';
import type { Records } from './records.js';

const LOCK = 15_000;
/** How many notices a process sends at the same time. */
const CONCURRENCY = 8;
const [SECOND, MINUTE, HOUR] = [1000, 60_000, 3_600_000];
const PAUSES = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR];
/** How much of what went wrong is kept, in characters. */
const LONGEST_ERROR = 300;

type Parts = {
	redis: RedisOptions;
	keys: Keys;
	records: Records;
	mirror: Mirror;
	deliveries: Deliveries;
	tally: Tallies;
	store: Store;
	log: Log;
};

/** What is kept of the webhook of a project. */
type Webhook = Pick<WebhookResource, 'url' | 'on' | 'created_at'> & { secret: string };

export type NoticeQueue = Notices & {
	/** Hands over the notice of a job that has ended, where one is to be sent. */
	handOver(job: JobResource): Promise<void>;
};

/** What names the end of a job: it may be resumed, and end once more, also within the same second. */
const endOf = ({ id, finished_at, reopened }: JobResource): string =>
	[id, finished_at, ...(reopened === undefined ? [] : [reopened])].join('_');

/** Opens the notices. The records know which are to be sent; BullMQ only brings the ids of their jobs to those who send. */
export function openNotices({ redis, keys, records, mirror, deliveries, tally, store, log }: Parts): NoticeQueue {
	/** The notice that a job asks for, or its project; null where none is to be sent. */
	async function noticeOf(job: JobResource): Promise<Notice | null> {
		const webhook = await readRecord<Webhook>(store, webhookKeys.record(projectOf(job)));
		if (webhook === null) return null;
		const isSince = job.notified !== undefined || (job.finished_at ?? 0) >= webhook.created_at;
		const { url, on = NOTIFIED_OF } = job.spec.notify ?? (isSince ? webhook : { url: null });
		if (url === null || !on.some((status) => status === job.status)) return null;
		return { id: endOf(job), url, secret: webhook.secret, job };
	}

	const isDone = ({ status, notified }: JobResource): boolean =>
		!isFinal(status) || (notified !== undefined && notified.state !== 'pending');

	/** Writes down how far the notice of this end of a job has come. */
	async function note(job: JobResource, notified: Notified): Promise<void> {
		const changed = await records.change(job.id, (found) =>
			endOf(found) === endOf(job) && isFinal(found.status) ? { record: { ...found, notified }, mirrored: true, announced: false } : null,
		);
		await mirror.follow(changed);
	}

	/** Counts a try. A notice that was sent is not sent again because it could not be counted. */
	async function count(state: Notified['state'], own: Log): Promise<void> {
		const one: Tally = {};
		tallyCount(one, 'notices', 1, state === 'pending' ? 'failed' : state);
		await tally.add(one).catch((error: unknown) => own.warn({ err: error }, 'a try to deliver a notice is not counted'));
	}

	/** Sends the notice of a job once, if it is time; resolves with the milliseconds after which it is to be looked at again, or with null. */
	async function deliver(id: string, { send, log: own = log, pauses = PAUSES }: NoticeOptions): Promise<number | null> {
		const job = (await records.find(id))?.record;
		if (job === undefined || isDone(job)) return null;
		const left = (job.notified?.next_attempt_at ?? 0) * 1000 - Date.now();
		if (left > 0) return left;
		const notice = await noticeOf(job);
		const attempts = (job.notified?.attempts ?? 0) + (notice === null ? 0 : 1);
		const pause = notice === null ? undefined : pauses[attempts - 1];
		let error: string | null = notice === null ? 'The project has no webhook any more' : null;
		if (notice !== null)
			await send(notice).catch((failure: unknown) => (error = String(failure instanceof Error ? failure.message : failure)));
		else if (job.notified === undefined) return null;
		const now = Date.now();
		const state = error === null ? 'delivered' : pause === undefined ? 'given_up' : 'pending';
		const next_attempt_at = state === 'pending' ? Math.ceil((now + (pause ?? 0)) / 1000) : null;
		const last_attempt_at = Math.floor(now / 1000);
		await note(job, {
			state,
			attempts,
			last_attempt_at,
			next_attempt_at,
			error: (error as string | null)?.slice(0, LONGEST_ERROR) ?? null,
		});
		await count(state, own);
		own[state === 'delivered' ? 'info' : 'warn'](
			{ ...logFieldsOf(job), attempts, error },
			`the notice of a job is ${state.replace('_', ' ')}`,
		);
		return next_attempt_at === null ? null : next_attempt_at * 1000 - now;
	}

	async function handOver(job: JobResource): Promise<void> {
		if (!isDone(job) && (await noticeOf(job)) !== null) await deliveries.add(job.id);
	}

	/** Hands over a job that was resumed and has ended once more while its delivery still stood. */
	async function handOverAgain(id: string): Promise<void> {
		const found = await records.find(id);
		if (found !== null) await handOver(found.record);
	}

	return {
		handOver,
		waiting: deliveries.held,

		work(options) {
			const { log: own = log, lockMs = LOCK } = options;
			const consumer = consume({
				...{ redis, keys, lockMs, name: 'notice' },
				concurrency: CONCURRENCY,
				deliver: (id) => deliver(id, options),
				left: (id) =>
					void handOverAgain(id).catch((error: unknown) =>
						own.warn({ err: error, job: id }, 'it could not be seen whether a job has ended once more'),
					),
				log: own,
			});
			return {
				async close(graceMs) {
					if (!(await consumer.close(graceMs, () => {}))) own.warn({}, 'a notice did not end in time; it is sent again');
				},
			};
		},
	};
}
