import { type JobResource, type JobStatus, needsOf, needsText, projectOf } from '@steelyard/contracts';
import { script } from '@steelyard/redis';
import type { Redis } from 'ioredis';
import type { Keys } from './keys.js';

/** The name of the one queue of BullMQ that versions had which did not tell workers apart. A job of then names no queue, and may lie in this one. */
export const FORMER_QUEUE = 'training';

/** How many ids are looked at together. */
const PAGE = 16;

/**
 * The first of the queued jobs with the same needs that no queue of BullMQ has: its id, its place and the queue that it names. A job can name a queue that does not have it where a
 * process was killed between two steps. Where none waits with these needs, they are no more among those of the project.
 */
const FIRST = `
local waiting, needs = unpack(KEYS)
local need, job, delivery, former, page = unpack(ARGV)
for from = 0, math.huge, page do
	local found = redis.call('ZRANGE', waiting, string.format('%d', from), string.format('%d', from + page - 1), 'WITHSCORES')
	if from == 0 and #found == 0 then redis.call('SREM', needs, need) end
	for i = 1, #found, 2 do
		local queue = redis.call('HGET', job .. found[i], 'queue')
		if redis.call('EXISTS', delivery .. (queue or former) .. ':' .. found[i]) == 0 then return {found[i], found[i + 1], queue or ''} end
	end
	if #found < 2 * page then return false end
end
`;

/** Has a queue alone deliver a job, if the job is queued and names the queue that is expected; returns 1, or 0 where it is not so. */
const PLACE = `
local job, queued, waiting = unpack(KEYS)
local id, queue, expected = unpack(ARGV)
if not redis.call('ZSCORE', queued, id) then
	redis.call('ZREM', waiting, id)
	return 0
end
if (redis.call('HGET', job, 'queue') or '') ~= expected then return 0 end
redis.call('HSET', job, 'queue', queue)
return 1
`;

/** Has a queue deliver a job no more, if it is this one that may. */
const UNPLACE = `
if redis.call('HGET', KEYS[1], 'queue') == ARGV[1] then redis.call('HDEL', KEYS[1], 'queue') end
return 1
`;

/** Puts a job among those that wait, by its needs, if it is queued, and takes it out of there where it is not. */
const INDEX = `
local queued, waiting, needs = unpack(KEYS)
local id, need = unpack(ARGV)
local place = redis.call('ZSCORE', queued, id)
if place then
	redis.call('ZADD', waiting, place, id)
	redis.call('SADD', needs, need)
else redis.call('ZREM', waiting, id) end
return 1
`;

/** A queued job that no queue of BullMQ has: where it stands in the order of its project, smaller first, and the queue that it names, which is empty for none. */
export type Unplaced = { id: string; project: string; needs: string; place: number; named: string };

/** Opens what says which queue of BullMQ may deliver which job: at most one, whatever was killed meanwhile. */
export function openPlacements(redis: Redis, keys: Keys) {
	const first = script<[string, string, string] | null>(redis, 'steelyardFirst', FIRST, 2);
	const put = script<number>(redis, 'steelyardPlace', PLACE, 3);
	const take = script<number>(redis, 'steelyardUnplace', UNPLACE, 1);
	const index = script<number>(redis, 'steelyardIndex', INDEX, 3);
	const withStatus = (project: string, status: JobStatus) => keys.withStatus(project, status);

	const needsIn = (project: string): Promise<string[]> => redis.smembers(keys.needs(project));

	return {
		/** What queued jobs of a project need, each as one line of text. */
		needsIn,

		async firstOf(project: string, needs: string): Promise<Unplaced | null> {
			const prefixes = [keys.job(''), `${keys.deliveries}:`, FORMER_QUEUE];
			const found = await first(keys.waiting(project, needs), keys.needs(project), needs, ...prefixes, PAGE);
			return found === null ? null : { id: found[0], project, needs, place: Number(found[1]), named: found[2] };
		},

		/** Has a queue alone deliver a job from now on; false where the job is not queued any more, or another process was quicker. */
		async place({ id, project, needs, named }: Unplaced, queue: string): Promise<boolean> {
			return (await put(keys.job(id), withStatus(project, 'queued'), keys.waiting(project, needs), id, queue, named)) === 1;
		},

		/** Has a queue deliver a job no more; nothing happens where another one may. */
		async unplace(id: string, queue: string): Promise<void> {
			await take(keys.job(id), queue);
		},

		/** The queue that may deliver a job. */
		queueOf: async (id: string): Promise<string> => (await redis.hget(keys.job(id), 'queue')) ?? FORMER_QUEUE,

		/** Whether the queue that may deliver a job has it. */
		async isHeld(id: string): Promise<boolean> {
			const queue = (await redis.hget(keys.job(id), 'queue')) ?? FORMER_QUEUE;
			return (await redis.exists(keys.delivery(queue, id))) === 1;
		},

		/** How many queued jobs of all projects have each needs. */
		async counts(projects: readonly string[]): Promise<{ project: string; needs: string; count: number }[]> {
			const of = await Promise.all(projects.map(async (project) => (await needsIn(project)).map((needs) => ({ project, needs }))));
			return Promise.all(of.flat().map(async (one) => ({ ...one, count: await redis.zcard(keys.waiting(one.project, one.needs)) })));
		},

		/** Of the queued jobs with the same needs, the one that was posted first; null where none waits. */
		async oldest(project: string, needs: string): Promise<string | null> {
			// Ids begin with the time at which they were made.
			return (await redis.zrange(keys.waiting(project, needs), '0', '-1')).sort()[0] ?? null;
		},

		/**
		 * Finds the queued jobs of a project by their needs where a process of an earlier version, which knows nothing of needs, has queued or begun some. `read`: gives the
		 * records of ids.
		 */
		async mend(project: string, read: (ids: readonly string[]) => Promise<JobResource[]>): Promise<void> {
			const waiting = (await needsIn(project)).map((needs) => ({ needs, key: keys.waiting(project, needs) }));
			const counts = await Promise.all(waiting.map(({ key }) => redis.zcard(key)));
			const queued = withStatus(project, 'queued');
			if (counts.reduce((sum, count) => sum + count, 0) === (await redis.zcard(queued))) return;
			const known = new Set<string>();
			for (const { needs, key } of waiting)
				for (const id of await redis.zrange(key, '0', '-1')) {
					known.add(id);
					await index(queued, key, keys.needs(project), id, needs);
				}
			const unknown = (await redis.zrange(queued, '0', '-1')).filter((id) => !known.has(id));
			for (let from = 0; from < unknown.length; from += PAGE)
				for (const record of await read(unknown.slice(from, from + PAGE))) {
					const needs = needsText(needsOf(record.spec));
					await index(queued, keys.waiting(projectOf(record), needs), keys.needs(project), record.id, needs);
				}
		},
	};
}
export type Placements = ReturnType<typeof openPlacements>;
