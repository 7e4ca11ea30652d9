import { connect } from '@steelyard/redis';
import type { Redis, RedisOptions } from 'ioredis';

/** Milliseconds between two questions to Redis over the subscribed connection, which sends nothing else: without them it would never be seen that it is dead. */
const ASK_EVERY = 5000;

export type SubscriberOptions = {
	channels: readonly string[];
	/** Called with every message from the moment at which `subscribed` resolves. */
	message(message: Buffer, channel: string): void;
	/** Called when the connection is made, and whenever it is made anew: any message before that may have been lost. */
	ready(): void;
};

export type Subscriber = { readonly subscribed: Promise<unknown>; close(): void };

/** Subscribes to channels over a connection of its own, which comes back by itself. */
export function subscribe(options: RedisOptions, { channels, message, ready }: SubscriberOptions): Subscriber {
	const redis: Redis = connect(options, { maxRetriesPerRequest: null });
	// A command that fails says so itself.
	redis.on('error', () => {});
	redis.on('messageBuffer', (channel: Buffer, bytes: Buffer) => message(bytes, channel.toString()));
	redis.on('ready', ready);
	const asking = setInterval(() => redis.status === 'ready' && void redis.ping().catch(() => {}), ASK_EVERY).unref();
	return {
		subscribed: redis.subscribe(...channels),
		close() {
			clearInterval(asking);
			redis.disconnect();
		},
	};
}
