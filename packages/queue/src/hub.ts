import type { RedisOptions } from 'ioredis';
import type { Keys } from './keys.js';
import { type Subscriber, subscribe } from './subscriber.js';

/** Called with the id of a job to which something happened, or with null after a pause of the connection, in which any message may have been lost. */
export type Listener = (id: string | null) => void;

export type Hub = {
	/** Calls `listener` for every message from the moment at which this resolves. It resolves with a function that ends the listening. */
	listen(channel: 'happened' | 'stop', listener: Listener): Promise<() => void>;
	close(): void;
};

/** The messages between the processes of an installation, over one subscribed connection per process, which is made when somebody first listens. */
export function openHub(options: RedisOptions, keys: Keys): Hub {
	const listeners = { happened: new Set<Listener>(), stop: new Set<Listener>() };
	let subscriber: Subscriber | null = null;

	const begin = (): Subscriber =>
		subscribe(options, {
			channels: [keys.happened, keys.stop],
			message(id, channel) {
				for (const listener of channel === keys.stop ? listeners.stop : listeners.happened) listener(id.toString());
			},
			ready() {
				for (const listener of [...listeners.happened, ...listeners.stop]) listener(null);
			},
		});

	return {
		async listen(channel, listener) {
			listeners[channel].add(listener);
			await (subscriber ??= begin()).subscribed;
			return () => listeners[channel].delete(listener);
		},
		close: () => subscriber?.close(),
	};
}
