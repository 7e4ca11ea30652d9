import { connect } from '@steelyard/redis';
import type { Redis, RedisOptions } from 'ioredis';
import type { Keys } from './keys.js';

/** What is called when something happens to a job; `null`: messages may have been lost, so anything may have happened. */
export type Listener = (id: string | null) => void;

export type Hub = {
	/** Listens; resolves with what ends it, once no later message can be missed. */
	listen(channel: 'happened' | 'cancel', listener: Listener): Promise<() => void>;
	close(): void;
};

/** One subscriber connection for a whole process, made when first something is to be heard. */
export function openHub(options: RedisOptions, keys: Keys): Hub {
	const listeners = { happened: new Set<Listener>(), cancel: new Set<Listener>() };
	let subscriber: Redis | null = null;
	let subscribed: Promise<unknown> | null = null;

	function begin(): Promise<unknown> {
		subscriber = connect(options, { maxRetriesPerRequest: null });
		// It comes back by itself, and each command says for itself what it met.
		subscriber.on('error', () => {});
		subscriber.on('message', (channel: string, id: string) => {
			for (const listener of channel === keys.cancel ? listeners.cancel : listeners.happened) listener(id);
		});
		subscriber.on('ready', () => {
			for (const listener of [...listeners.happened, ...listeners.cancel]) listener(null);
		});
		return subscriber.subscribe(keys.happened, keys.cancel);
	}

	return {
		async listen(channel, listener) {
			listeners[channel].add(listener);
			await (subscribed ??= begin());
			return () => listeners[channel].delete(listener);
		},
		close() {
			subscriber?.disconnect();
		},
	};
}
