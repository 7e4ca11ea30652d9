import { isFinal, type JobEvent, type JobEventBody, type JobResource } from '@steelyard/contracts';
import { script } from '@steelyard/redis';
import { jobKeys, type Store } from '@steelyard/store';
import type { Redis } from 'ioredis';
import type { Hub } from './hub.js';
import type { Keys } from './keys.js';
import type { Events } from './queue.js';
import { EVENTS_KEPT, type Records, statusEvent } from './records.js';

/** How many events are read at a time while they are followed. */
const BATCH = 200;
/** Milliseconds without a message after which a follower reads the events again, in case a message was lost. */
const READ_AGAIN = 5000;
/** How long the stream of a job that has ended is kept after its events were written to the store, in milliseconds. */
const STREAM_KEPT = 60 * 60 * 1000;

const APPEND = `
if redis.call('HGET', KEYS[1], 'final') ~= '0' then return false end
local id = redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'body', ARGV[1])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return id
`;

const RELEASE = `
if redis.call('HGET', KEYS[1], 'final') == '1' then redis.call('PEXPIRE', KEYS[2], ARGV[1]) end
return 1
`;

type Position = readonly [at: bigint, sequence: bigint];

/** Where an event stands in its stream, from its id, which is that of the stream's entry: unix milliseconds, `-`, and a number. */
function positionOf(id: string): Position {
	const [at = '0', sequence = '0'] = id.split('-');
	return [BigInt(at), BigInt(sequence)];
}

const isLater = (a: Position, b: Position) => (a[0] === b[0] ? a[1] > b[1] : a[0] > b[0]);

const eventOf = (id: string, body: JobEventBody): JobEvent => ({ id, at: Number(id.split('-')[0]), ...body });

const isEnd = (event: JobEvent) => event.type === 'status' && isFinal(event.status);

export type EventLog = Events & {
	/** Writes the events of a job that has ended to the store, where they are read from once its stream is gone; its end alone where that is gone already, because Redis was emptied. */
	save(job: JobResource): Promise<void>;
	/** Has the stream of a job whose events were saved expire after a while, unless the job was resumed. */
	release(id: string): Promise<void>;
	/** Gives a job that has ended and is to be resumed the stream again that it had. */
	reopen(id: string): Promise<void>;
	/** Keeps the stream of a job that was resumed. */
	keep(id: string): Promise<void>;
};

export function openEvents(redis: Redis, keys: Keys, records: Records, store: Store, hub: Hub): EventLog {
	const append = script<string | null>(redis, 'steelyardAppend', APPEND, 2);
	const release = script<number>(redis, 'steelyardRelease', RELEASE, 2);

	async function stored(id: string): Promise<JobEvent[]> {
		const text = (await store.get(jobKeys.events(id)))?.toString() ?? '';
		return text === ''
			? []
			: text
					.trimEnd()
					.split('\n')
					.map((line) => JSON.parse(line) as JobEvent);
	}

	async function streamed(id: string, after: string | undefined, limit: number): Promise<JobEvent[]> {
		const entries = await redis.xrange(keys.events(id), after === undefined ? '-' : `(${after}`, '+', 'COUNT', limit);
		return entries.map(([entry, [, body = '']]) => eventOf(entry, JSON.parse(body) as JobEventBody));
	}

	const log: EventLog = {
		async append(id, body) {
			const entry = await append(keys.job(id), keys.events(id), JSON.stringify(body), EVENTS_KEPT, keys.happened, id);
			return entry === null ? null : eventOf(entry, body);
		},

		async read(id, { after, limit = 100 } = {}) {
			const events = await streamed(id, after, limit);
			if (events.length > 0 || (await redis.exists(keys.events(id))) === 1) return events;
			const all = await stored(id);
			const from = after === undefined ? null : positionOf(after);
			return (from === null ? all : all.filter((event) => isLater(positionOf(event.id), from))).slice(0, limit);
		},

		async *follow(id, after, signal) {
			let heard = true;
			let wake = () => {};
			const notice = () => {
				heard = true;
				wake();
			};
			signal.addEventListener('abort', notice);
			const leave = await hub.listen('happened', (about) => {
				if (about === null || about === id) notice();
			});
			try {
				let last = after;
				while (!signal.aborted) {
					heard = false;
					// Read before the events: if the job has ended by then, its last event is among them.
					const found = await records.find(id);
					const events = await log.read(id, { ...(last === undefined ? {} : { after: last }), limit: BATCH });
					for (const event of events) {
						if (signal.aborted) return;
						yield event;
						last = event.id;
					}
					const newest = events.at(-1);
					// The record is read again where the job has ended since: a job that was resumed after an end goes on.
					if (newest !== undefined && (events.length === BATCH || isEnd(newest))) continue;
					if (found === null || isFinal(found.record.status)) return;
					let timer: NodeJS.Timeout | undefined;
					await new Promise<void>((resolve) => {
						wake = resolve;
						timer = setTimeout(resolve, READ_AGAIN);
						if (heard || signal.aborted) resolve();
					});
					clearTimeout(timer);
				}
			} finally {
				signal.removeEventListener('abort', notice);
				leave();
			}
		},

		async save(job) {
			const put = (events: readonly JobEvent[]) =>
				store.put(jobKeys.events(job.id), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
			const events = await streamed(job.id, undefined, 2 * EVENTS_KEPT);
			if (events.length > 0) return void (await put(events));
			const before = await stored(job.id);
			const last = before.at(-1);
			if (last?.type === 'status' && last.status === job.status) return;
			await put([...before, eventOf(`${Math.max(Date.now(), (last?.at ?? 0) + 1)}-0`, statusEvent(job))]);
		},

		async release(id) {
			await release(keys.job(id), keys.events(id), STREAM_KEPT);
		},

		async reopen(id) {
			if ((await redis.persist(keys.events(id))) === 1 || (await redis.exists(keys.events(id))) === 1) return;
			const all = redis.multi();
			for (const { id: entry, at: _, ...body } of await stored(id)) all.xadd(keys.events(id), entry, 'body', JSON.stringify(body));
			await all.exec();
		},

		async keep(id) {
			await redis.persist(keys.events(id));
		},
	};
	return log;
}
