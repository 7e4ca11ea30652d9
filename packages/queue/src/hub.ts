import { connect } from '@steelyard/redis';
import type { Redis, RedisOptions } from 'ioredis';
import type { Keys } from './keys.js';

/** Called with the id of a job to which something happened, or with null after a pause of the connection, in which any message may have been lost. */
export type Listener = (id: string | null) => void;

export type Hub = {
	/** Calls `listener` for every message from the moment at which this resolves. It resolves with a function that ends the listening. */
	listen(channel: 'happened' | 'stop', listener: Listener): Promise<() => void>;
	close(): void;
};

/** Milliseconds between two questions to Redis over the subscribed connection, which sends nothing else: without them it would never be seen that it is dead. */
const ASK_EVERY = 5000;

/** The messages between the processes of an installation, over one subscribed connection per process, which is made when somebody first listens. */
export function openHub(options: RedisOptions, keys: Keys): Hub {
	const listeners = { happened: new Set<Listener>(), stop: new Set<Listener>() };
	let subscriber: Redis | null = null;
	let subscribed: Promise<unknown> | null = null;
	let asking: NodeJS.Timeout | undefined;

	function begin(): Promise<unknown> {
		subscriber = connect(options, { maxRetriesPerRequest: null });
		// The connection comes back by itself, and a command that fails says so itself.
		subscriber.on('error', () => {});
		subscriber.on('message', (channel: string, id: string) => {
			for (const listener of channel === keys.stop ? listeners.stop : listeners.happened) listener(id);
		});
		subscriber.on('ready', () => {
			for (const listener of [...listeners.happened, ...listeners.stop]) listener(null);
		});
		asking = setInterval(() => subscriber?.status === 'ready' && void subscriber.ping().catch(() => {}), ASK_EVERY).unref();
		return subscriber.subscribe(keys.happened, keys.stop);
	}

	return {
		async listen(channel, listener) {
			listeners[channel].add(listener);
			await (subscribed ??= begin());
			return () => listeners[channel].delete(listener);
		},
		close() {
			clearInterval(asking);
			subscriber?.disconnect();
		},
	};
}
