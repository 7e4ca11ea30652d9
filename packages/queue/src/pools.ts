import { createHash } from 'node:crypto';
import { type Abilities, abilitiesIn, abilitiesText } from '@steelyard/contracts';
import { script } from '@steelyard/redis';
import type { Redis } from 'ioredis';
import type { Keys } from './keys.js';

/** How long whoever runs jobs counts without a sign of life, and how long it is remembered what workers had, in seconds of Redis's clock. */
const KEPT = 15;
const REMEMBERED = 24 * 60 * 60;

/** Notes that somebody runs jobs. No clock of a host is asked: those of two can differ by minutes. */
const BEAT = `
local working, pools = unpack(KEYS)
local worker, abilities = unpack(ARGV)
local now = redis.call('TIME')[1]
redis.call('ZADD', pools, now, abilities)
redis.call('ZADD', working, now, worker)
redis.call('ZREMRANGEBYSCORE', working, '-inf', now - ${10 * KEPT})
return 1
`;

/** Who runs jobs, and all abilities that are remembered, with those of the last day first. What is later than now was noted before the clock was set back. */
const LOOK = `
local working, pools = unpack(KEYS)
local now = redis.call('TIME')[1]
return {
	redis.call('ZRANGEBYSCORE', working, now - ${KEPT}, now),
	redis.call('ZRANGEBYSCORE', pools, now - ${REMEMBERED}, '+inf'),
	redis.call('ZRANGEBYSCORE', pools, '-inf', '(' .. string.format('%d', now - ${REMEMBERED})),
}
`;

/** Workers that have the same: one queue of BullMQ brings jobs to all of them. */
export type Pool = {
	queue: string;
	abilities: Abilities;
	/** How many jobs they run at the same time. */
	slots: number;
	/** How many they are. */
	workers: number;
};

/** Whoever runs jobs. */
export type Member = { id: string; slots: number; abilities: Abilities };

export type Look = {
	/** Those in which somebody runs jobs; first those that can do less, so that jobs that need little leave the others free. */
	living: Pool[];
	/** The queues of others, which may still hold jobs. */
	others: string[];
	/** What workers of the last day had. */
	seen: Abilities[];
	/** The abilities that no worker of the last day had. */
	forgotten: string[];
};

/** The queue of BullMQ that brings jobs to the workers that have these abilities. */
export const queueOf = (abilities: Abilities): string =>
	`training-${createHash('sha256').update(abilitiesText(abilities)).digest('hex').slice(0, 12)}`;

const weightOf = ({ abilities: { devices, labels, memory } }: Pool): number => devices.length * 1e9 + labels.length * 1e7 + memory;

function poolsOf(members: readonly string[]): Pool[] {
	const pools = new Map<string, Pool>();
	for (const member of members) {
		const [, slots, text = ''] = member.split(' ');
		const abilities = abilitiesIn(text);
		const pool = pools.get(text) ?? { queue: queueOf(abilities), abilities, slots: 0, workers: 0 };
		pools.set(text, { ...pool, slots: pool.slots + Number(slots), workers: pool.workers + 1 });
	}
	return [...pools.values()].sort((a, b) => weightOf(a) - weightOf(b) || (a.queue < b.queue ? -1 : 1));
}

/** Opens what is known of the workers by what they have. */
export function openPools(redis: Redis, keys: Keys) {
	const beat = script<number>(redis, 'steelyardBeat', BEAT, 2);
	const look = script<[string[], string[], string[]]>(redis, 'steelyardLook', LOOK, 2);
	const named = ({ id, slots, abilities }: Member): string => `${id} ${slots} ${abilitiesText(abilities)}`;

	return {
		/** Notes that whoever runs jobs is there, for 15 s. */
		async join(member: Member): Promise<void> {
			await beat(keys.working, keys.pools, named(member), abilitiesText(member.abilities));
		},
		async leave(member: Member): Promise<void> {
			await redis.zrem(keys.working, named(member));
		},
		/** Remembers abilities no more. */
		async forget(abilities: string): Promise<void> {
			await redis.zrem(keys.pools, abilities);
		},
		async look(): Promise<Look> {
			const [working, seen, forgotten] = await look(keys.working, keys.pools);
			const living = poolsOf(working);
			const all = [...seen, ...forgotten].map((text) => queueOf(abilitiesIn(text)));
			return {
				living,
				others: all.filter((queue) => !living.some((pool) => pool.queue === queue)),
				seen: seen.map(abilitiesIn),
				forgotten,
			};
		},
	};
}
export type Pools = ReturnType<typeof openPools>;
