import { Socket } from 'node:net';
import { type SentinelConnectionOptions, SentinelConnector } from 'ioredis';

/**
 * Finds the master through sentinels once for each connection. Where none of them knows it, that counts as a connection that failed, like one to a Redis that is
 * away: it is tried again, and commands that wait too long for it are rejected. ioredis itself would have them wait without limit, or never try again.
 */
export class OnceASentinelConnector extends SentinelConnector {
	constructor(options: unknown) {
		super({ ...(options as SentinelConnectionOptions), sentinelRetryStrategy: () => null });
	}

	override async connect(...args: Parameters<SentinelConnector['connect']>): ReturnType<SentinelConnector['connect']> {
		try {
			return await super.connect(...args);
		} catch (error) {
			if (!this.connecting) throw error;
			this.firstError = error as Error;
			return new Socket().destroy();
		}
	}
}
