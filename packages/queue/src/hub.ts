import type { RedisOptions } from 'ioredis';
import type { Keys } from './keys.js';
import { type Subscriber, subscribe } from './subscriber.js';

/** What is listened to: jobs to which something happened, jobs that are to stop, and projects in which a job has changed. */
export type Channel = 'happened' | 'stop' | 'changed';

/** Called with the id of a job, or with the name of a project, or with null after a pause of the connection, in which any message may have been lost. */
export type Listener = (id: string | null) => void;

export type Hub = {
	/** Calls `listener` for every message from the moment at which this resolves. It resolves with a function that ends the listening. */
	listen(channel: Channel, listener: Listener): Promise<() => void>;
	close(): void;
};

/** The messages between the processes of an installation, over one subscribed connection per process, which is made when somebody first listens. */
export function openHub(options: RedisOptions, keys: Keys): Hub {
	const listeners: Record<Channel, Set<Listener>> = { happened: new Set(), stop: new Set(), changed: new Set() };
	const channels = Object.keys(listeners) as Channel[];
	let subscriber: Subscriber | null = null;

	const begin = (): Subscriber =>
		subscribe(options, {
			channels: channels.map((channel) => keys[channel]),
			message(about, key) {
				for (const channel of channels) if (keys[channel] === key) for (const listener of listeners[channel]) listener(about.toString());
			},
			ready() {
				for (const channel of channels) for (const listener of listeners[channel]) listener(null);
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
