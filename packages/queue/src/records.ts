import { randomUUID } from 'node:crypto';
import {
	isFinal,
	JOB_STATUSES,
	type JobEventBody,
	type JobResource,
	type JobStatus,
	knownRecord,
	NewerRecordError,
	needsOf,
	needsText,
	projectOf,
	warmStartOf,
} from '@steelyard/contracts';
import { script } from '@steelyard/redis';
import type { Redis } from 'ioredis';
import type { Keys } from './keys.js';

/** About how many events are kept per job. The Redis in JavaScript gets slower with the length of a stream. */
export const EVENTS_KEPT = 2000;

/** How many changes of the jobs of a project are kept for those who follow them. */
export const CHANGES_KEPT = 10_000;

/** How long an idempotency key is kept, in milliseconds. */
export const KEY_KEPT = 24 * 60 * 60 * 1000;

/** Gives a change of a job the next number of its project, and the slot of that number, and tells those who follow. */
const CHANGED = `
local function changed(changes, id, kept, channel, project)
	local number = redis.call('INCR', changes)
	redis.call('SET', changes .. ':' .. string.format('%d', number % tonumber(kept)), id)
	redis.call('PUBLISH', channel, project)
end
`;

/**
 * Replaces a record if its revision is still the given one; returns 1, or 0 where it is not, or -1 where as many jobs have its new status as may, or where another queue than `deliverer` may deliver it. In the same step changes all that depends on the record: the
 * index, the sets by status and by the dataset, the model and the job that it uses, the events, the changes of its project, and the sets of what is to be written to the store and of what has ended. The new record is composed in JavaScript,
 * because Lua's JSON would turn [] into {}.
 */
const WRITE = `${CHANGED}
local job, projects, index, before, after, dataset, model, source, unsaved, ended, events, changes, waiting, needs = unpack(KEYS)
local id, revision, record, final, mirrored, event, kept, channel, project, place, most, changesKept, changesChannel, need, deliverer = unpack(ARGV)
if (redis.call('HGET', job, 'revision') or '0') ~= revision then return 0 end
if deliverer ~= '' and redis.call('HGET', job, 'queue') ~= deliverer then return -1 end
if most ~= '' and before ~= after and redis.call('ZCARD', after) >= tonumber(most) then return -1 end
redis.call('HSET', job, 'record', record, 'final', final)
redis.call('HINCRBY', job, 'revision', 1)
if mirrored == '1' then
	redis.call('HINCRBY', job, 'turn', 1)
	redis.call('SADD', unsaved, id)
	redis.call('ZADD', projects, 'NX', 0, project)
	redis.call('ZADD', index, 0, id)
	redis.call('ZREM', before, id)
	redis.call('ZADD', after, place, id)
	if string.sub(after, -7) == ':queued' then
		redis.call('ZADD', waiting, place, id)
		redis.call('SADD', needs, need)
	else redis.call('ZREM', waiting, id) end
	local use = final == '1' and 'SREM' or 'SADD'
	for _, used in ipairs({dataset, model, source}) do redis.call(use, used, id) end
	if final == '0' then redis.call('SREM', ended, id)
	elseif revision == '0' or before ~= after then redis.call('SADD', ended, id) end
end
if event ~= '' then
	redis.call('XADD', events, 'MAXLEN', '~', kept, '*', 'body', event)
	redis.call('PUBLISH', channel, id)
end
changed(changes, id, changesKept, changesChannel, project)
return 1
`;

/** As WRITE for a new job with an idempotency key. Where the key was used before, returns the id and the body hash of the job that it made. */
const WRITE_ONCE = `
local known = redis.call('HMGET', KEYS[15], 'job', 'body')
if known[1] then return known end
redis.call('HSET', KEYS[15], 'job', ARGV[1], 'body', ARGV[16])
redis.call('PEXPIRE', KEYS[15], ARGV[17])
${WRITE}`;

/** Takes an id out of a set, unless its record has had another turn since. */
const LEAVE = `
if redis.call('HGET', KEYS[1], 'turn') ~= ARGV[2] then return 0 end
redis.call('SREM', KEYS[2], ARGV[1])
return 1
`;

/** Removes a record if its revision is still the given one, and all that depends on it; returns 1, or 0 where it is not, or -1 where jobs use it that have not ended. */
const FORGET = `${CHANGED}
local job, index, status, dataset, model, source, unsaved, ended, events, key, users, changes, waiting = unpack(KEYS)
local id, revision, project, changesKept, changesChannel = unpack(ARGV)
if redis.call('HGET', job, 'revision') ~= revision then return 0 end
if redis.call('SCARD', users) > 0 then return -1 end
redis.call('DEL', job, events, key)
for _, set in ipairs({index, status, waiting}) do redis.call('ZREM', set, id) end
for _, set in ipairs({dataset, model, source, unsaved, ended}) do redis.call('SREM', set, id) end
changed(changes, id, changesKept, changesChannel, project)
return 1
`;

/** A request with an idempotency key: the SHA-256 of its key and of its body, both in hexadecimal. */
export type Request = { key: string; body: string };

/** The job that the first request with an idempotency key made, and the hash of that request's body. */
export type UseOfKey = { id: string; body: string };

export type Versioned = { record: JobResource; revision: string };

/** The record of a job. Throws NewerRecordError where a newer version of the service has written it. */
const parsed = (id: string, record: string): JobResource => knownRecord(JSON.parse(record) as JobResource, id);

/** Which ids of a project: those from `least` on and before `beyond`, as texts compare, that follow after the id `after`. */
export type IdRange = { after?: string | undefined; least?: string | undefined; beyond?: string | undefined; ascending?: boolean };

/** A new state of a record. */
export type Change = {
	record: JobResource;
	/** Whether it is copied to the store. */
	mirrored: boolean;
	/** Whether it writes a status event. */
	announced: boolean;
};

/** The event that says that a job has another status. */
export const statusEvent = ({ status, attempt, error }: JobResource): JobEventBody => ({ type: 'status', status, attempt, error });

/** The ids of records by the key that `keyOf` gives for each. */
function idsBy(records: readonly JobResource[], keyOf: (record: JobResource) => string): Map<string, string[]> {
	const ids = new Map<string, string[]>();
	for (const record of records) ids.set(keyOf(record), [...(ids.get(keyOf(record)) ?? []), record.id]);
	return ids;
}

/** The ends of a range of ids as Redis takes them. */
const boundsOf = (least: string | undefined, beyond: string | undefined) => ({
	low: least === undefined ? '-' : `[${least}`,
	high: beyond === undefined ? '+' : `(${beyond}`,
});

/** Where a job stands among those of its project and status, smaller first. */
const placeOf = ({ status, spec }: JobResource): number => (status === 'queued' ? -(spec.priority ?? 0) : 0);

/** The dataset, the uploaded model and the job that a job uses. Where there is no model, or no job, it is the dataset again, which makes no difference to a set. */
const usedBy = ({ spec: { dataset, model, training } }: Pick<JobResource, 'spec'>): [string, string, string] => [
	dataset,
	model.family === 'custom' ? model.model : dataset,
	warmStartOf(training)?.job ?? dataset,
];

/** How the removal of a record ends. */
export type Forgotten = 'removed' | 'changed' | 'used';

/** Opens the records in Redis, each of which changes in one atomic step. `mostRunning`: the most jobs of a project that may run; null for any number. */
export function openRecords(redis: Redis, keys: Keys, mostRunning: number | null) {
	const write = script<number>(redis, 'steelyardWrite', WRITE, 14);
	const writeOnce = script<number | [string, string]>(redis, 'steelyardWriteOnce', WRITE_ONCE, 15);
	const leave = script<number>(redis, 'steelyardLeave', LEAVE, 2);
	const forget = script<number>(redis, 'steelyardForget', FORGET, 13);

	const waitingOf = (record: JobResource): string => keys.waiting(projectOf(record), needsText(needsOf(record.spec)));
	const keysOfWrite = (before: JobStatus, { record }: Change): string[] => [
		keys.job(record.id),
		keys.projects,
		keys.jobs(projectOf(record)),
		keys.withStatus(projectOf(record), before),
		keys.withStatus(projectOf(record), record.status),
		...usedBy(record).map(keys.using),
		keys.unsaved,
		keys.ended,
		keys.events(record.id),
		keys.changes(projectOf(record)),
		waitingOf(record),
		keys.needs(projectOf(record)),
	];
	const args = (revision: string, { record, mirrored, announced }: Change, deliverer = ''): string[] => [
		record.id,
		revision,
		JSON.stringify(record),
		isFinal(record.status) ? '1' : '0',
		mirrored ? '1' : '0',
		announced ? JSON.stringify(statusEvent(record)) : '',
		String(EVENTS_KEPT),
		keys.happened,
		projectOf(record),
		String(placeOf(record)),
		record.status === 'running' && mostRunning !== null ? String(mostRunning) : '',
		String(CHANGES_KEPT),
		keys.changed,
		needsText(needsOf(record.spec)),
		deliverer,
	];

	/** The record of a job; null where there is none. Rejects with NewerRecordError, as all do here that read one record. */
	async function find(id: string): Promise<Versioned | null> {
		const [record, revision] = await redis.hmget(keys.job(id), 'record', 'revision');
		return record && revision ? { record: parsed(id, record), revision } : null;
	}

	/** Removes the keys of this installation that belong to another layout, which nothing reads any more. */
	async function removeOtherLayouts(): Promise<void> {
		let cursor = '0';
		do {
			const [next, found] = await redis.scan(cursor, 'MATCH', `${keys.ofInstallation}*`, 'COUNT', 1000);
			const others = found.filter((key) => !key.startsWith(keys.ofLayout));
			if (others.length > 0) await redis.unlink(...others);
			cursor = next;
		} while (cursor !== '0');
	}

	return {
		find,

		/** Adds a new record; resolves with false where there is one with its id. */
		async add(record: JobResource, announced = true): Promise<boolean> {
			const change = { record, mirrored: true, announced };
			return (await write(...keysOfWrite(record.status, change), ...args('0', change))) === 1;
		},

		/**
		 * Adds records of jobs that have ended for good, as the store has them: they change no more, and their events are in the store. Of the sets each gets all of
		 * its new members by one command: the Redis in JavaScript takes about as long for a set with one as with a hundred.
		 */
		async addDone(ended: readonly JobResource[]): Promise<void> {
			if (ended.length === 0) return;
			const all = redis.multi();
			all.zadd(keys.projects, 'NX', ...[...new Set(ended.map(projectOf))].flatMap((project) => [0, project]));
			for (const [key, ids] of idsBy(ended, (record) => keys.jobs(projectOf(record)))) all.zadd(key, ...ids.flatMap((id) => [0, id]));
			for (const [key, ids] of idsBy(ended, (record) => keys.withStatus(projectOf(record), record.status)))
				all.zadd(key, ...ids.flatMap((id) => [0, id]));
			all.sadd(keys.ended, ...ended.map(({ id }) => id));
			for (const record of ended) all.hset(keys.job(record.id), { record: JSON.stringify(record), revision: 1, turn: 0, final: 1 });
			for (const [error] of (await all.exec()) ?? []) if (error !== null) throw error;
		},

		/** Those of the ids that have no record. */
		async unknown(ids: readonly string[]): Promise<string[]> {
			if (ids.length === 0) return [];
			const count = await redis.exists(...ids.map(keys.job));
			if (count === 0) return [...ids];
			if (count === ids.length) return [];
			const pipeline = redis.pipeline();
			for (const id of ids) pipeline.exists(keys.job(id));
			const found = (await pipeline.exec()) ?? [];
			return ids.filter((_, i) => {
				const [error, count] = found[i] ?? [null, 0];
				if (error !== null) throw error;
				return count === 0;
			});
		},

		/** As `add`, at the first use of an idempotency key in the project. At every other, resolves with the job that it made and the hash of that job's body. */
		async addOnce(record: JobResource, { key, body }: Request): Promise<UseOfKey | null> {
			const change = { record, mirrored: true, announced: true };
			const used = keys.idempotency(projectOf(record), key);
			const known = await writeOnce(...keysOfWrite(record.status, change), used, ...args('0', change), body, KEY_KEPT);
			return Array.isArray(known) ? { id: known[0], body: known[1] } : null;
		},

		/** What an idempotency key was used for in a project; null where it was not, or too long ago. */
		async usedFor(project: string, key: string): Promise<UseOfKey | null> {
			const [id, body] = await redis.hmget(keys.idempotency(project, key), 'job', 'body');
			return id && body ? { id, body } : null;
		},

		/** Notes again what an idempotency key was used for, as the store has it, for another `ms` milliseconds. */
		async noteUse(job: JobResource, { key, body }: Request, ms: number): Promise<void> {
			const used = keys.idempotency(projectOf(job), key);
			await redis.multi().hset(used, { job: job.id, body }).pexpire(used, ms).exec();
		},

		/** Removes a record, with its idempotency key where it has one, unless it has changed, or is used by jobs that have not ended. */
		async forget({ record, revision }: Versioned, key?: string): Promise<Forgotten> {
			const { id, status } = record;
			const project = projectOf(record);
			const sets = [keys.jobs(project), keys.withStatus(project, status), ...usedBy(record).map(keys.using), keys.unsaved, keys.ended];
			const events = keys.events(id);
			const used = key === undefined ? events : keys.idempotency(project, key);
			const own = [keys.job(id), ...sets, events, used, keys.using(id), keys.changes(project), waitingOf(record)];
			const removed = await forget(...own, id, revision, project, CHANGES_KEPT, keys.changed);
			return removed === 1 ? 'removed' : removed === 0 ? 'changed' : 'used';
		},

		/**
		 * Changes a record to what `next` makes of it, and once more where another process has changed it meanwhile. Resolves with the new record, or with
		 * null where `next` gives null, where there is no such record, where it would run and as many jobs of its project run as may, and where the queue
		 * `deliverer` may not deliver the job any more.
		 */
		async change(id: string, next: (record: JobResource) => Change | null, deliverer?: string): Promise<JobResource | null> {
			for (;;) {
				const found = await find(id);
				const change = found === null ? null : next(found.record);
				if (found === null || change === null) return null;
				const written = await write(...keysOfWrite(found.record.status, change), ...args(found.revision, change, deliverer));
				if (written !== 0) return written === 1 ? change.record : null;
			}
		},

		/** The names of the projects that have had a job, in the order of the alphabet. */
		projects: async (): Promise<string[]> => (await redis.zrange(keys.projects, '0', '-1')).sort(),

		/** How many jobs of every project are queued and run; the project whose last turn is longest ago comes first. */
		async shares(): Promise<{ project: string; queued: number; running: number }[]> {
			const projects = await redis.zrange(keys.projects, '0', '-1');
			const pipeline = redis.pipeline();
			for (const project of projects) for (const status of ['queued', 'running'] as const) pipeline.zcard(keys.withStatus(project, status));
			const counts = ((await pipeline.exec()) ?? []).map(([error, count]) => {
				if (error !== null) throw error;
				return count as number;
			});
			return projects.map((project, i) => ({ project, queued: counts[2 * i] ?? 0, running: counts[2 * i + 1] ?? 0 }));
		},

		/** Notes that it was a project's turn. */
		async takeTurn(project: string): Promise<void> {
			await redis.zadd(keys.projects, 'XX', await redis.incr(keys.turn), project);
		},

		/** A page of the ids of a project, newest first, or oldest first where `ascending`. */
		ids(project: string, limit: number, { after, least, beyond, ascending = false }: IdRange = {}): Promise<string[]> {
			const { low, high } = boundsOf(least, beyond);
			if (ascending) {
				const from = after !== undefined && (least === undefined || after >= least) ? `(${after}` : low;
				return redis.zrangebylex(keys.jobs(project), from, high, 'LIMIT', 0, limit);
			}
			const from = after !== undefined && (beyond === undefined || after < beyond) ? `(${after}` : high;
			return redis.zrevrangebylex(keys.jobs(project), from, low, 'LIMIT', 0, limit);
		},

		/** How many ids of a project are in a range. */
		countIds(project: string, { least, beyond }: Omit<IdRange, 'after' | 'ascending'> = {}): Promise<number> {
			const { low, high } = boundsOf(least, beyond);
			return redis.zlexcount(keys.jobs(project), low, high);
		},

		/** The revisions of records; null for those that there are not. */
		async revisions(ids: readonly string[]): Promise<(string | null)[]> {
			const pipeline = redis.pipeline();
			for (const id of ids) pipeline.hget(keys.job(id), 'revision');
			return ((await pipeline.exec()) ?? []).map(([error, revision]) => {
				if (error !== null) throw error;
				return revision as string | null;
			});
		},

		/** The records of ids, without those that there are not, and those that a newer version of the service has written. */
		async findAll(ids: readonly string[]): Promise<Versioned[]> {
			if (ids.length === 0) return [];
			const pipeline = redis.pipeline();
			for (const id of ids) pipeline.hmget(keys.job(id), 'record', 'revision');
			return ((await pipeline.exec()) ?? []).flatMap(([error, found], i) => {
				if (error !== null) throw error;
				const [record, revision] = found as (string | null)[];
				if (!record || !revision) return [];
				try {
					return [{ record: parsed(ids[i] ?? '', record), revision }];
				} catch (thrown) {
					if (thrown instanceof NewerRecordError) return [];
					throw thrown;
				}
			});
		},

		/** How many jobs of a project have each status. */
		async counts(project: string): Promise<Record<JobStatus, number>> {
			const counts = await Promise.all(
				JOB_STATUSES.map(async (status) => [status, await redis.zcard(keys.withStatus(project, status))] as const),
			);
			return Object.fromEntries(counts) as Record<JobStatus, number>;
		},

		/** The ids of the jobs of all projects that have a status. */
		async withStatus(status: JobStatus): Promise<string[]> {
			const ids: string[] = [];
			for (const project of await redis.zrange(keys.projects, '0', '-1'))
				ids.push(...(await redis.zrange(keys.withStatus(project, status), '0', '-1')));
			return ids;
		},
		countUsing: (used: string): Promise<number> => redis.scard(keys.using(used)),

		/** A record with the turn to give to `saved` or `settled`. */
		async findTurn(id: string): Promise<{ record: JobResource; turn: string } | null> {
			const [record, turn] = await redis.hmget(keys.job(id), 'record', 'turn');
			return record && turn ? { record: parsed(id, record), turn } : null;
		},
		/** What names this filling of Redis, which is another once Redis was emptied; null before the jobs of the store were added to it. */
		filling: (): Promise<string | null> => redis.get(keys.rebuilt),
		/** Notes that the jobs of the store are here. What an earlier version has left of its own layout is removed first. */
		async markRestored(): Promise<void> {
			if ((await redis.exists(keys.rebuilt)) === 1) return;
			await removeOtherLayouts();
			await redis.set(keys.rebuilt, randomUUID(), 'NX');
		},
		/**
		 * Whether this server may have lost what an earlier one was told: it took the place of that one, or was started again, since the jobs of the store were last
		 * looked for. The Redis in JavaScript has no runs, and begins with nothing.
		 */
		mayLack: async (run: string): Promise<boolean> => run !== '' && (await redis.get(keys.restoredOn)) !== run,
		/** Notes that the jobs of the store were looked for in this run of the server. */
		markComplete: async (run: string): Promise<void> => void (run !== '' && (await redis.set(keys.restoredOn, run))),
		/** Notes that jobs were added which only the store knew, of which the changes of their projects say nothing. */
		async noteRestored(): Promise<void> {
			await redis.incr(keys.restorations);
		},
		/** Has the jobs that only the store knows added once more. */
		async markIncomplete(): Promise<void> {
			await redis.del(keys.rebuilt);
		},
		unsaved: (): Promise<string[]> => redis.smembers(keys.unsaved),
		/** Notes that a record was written to the store; resolves with false where it has changed since. */
		saved: async (id: string, turn: string): Promise<boolean> => (await leave(keys.job(id), keys.unsaved, id, turn)) === 1,
		ended: (): Promise<string[]> => redis.smembers(keys.ended),
		/** Notes that all was done which the end of a job asks for, unless its record has changed since; with null for a job that is gone. */
		async settled(id: string, turn: string | null): Promise<void> {
			if (turn === null) await redis.srem(keys.ended, id);
			else await leave(keys.job(id), keys.ended, id, turn);
		},
	};
}
export type Records = ReturnType<typeof openRecords>;
