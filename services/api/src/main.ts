import './small-heap.js';
import { runService } from '@steelyard/service-process';
import { configOf, Environment } from './config.js';
import { startNotifying } from './notices/notices.js';
import { startServer } from './server.js';
import { version } from './version.js';

/** What the process sends to the one that forked it, once it listens. */
export type ApiMessage = { type: 'listening'; address: string };

/** Longest life after the order to end, in milliseconds. */
const LONGEST_END = 5000;

runService({
	name: 'api',
	version,
	environment: Environment,
	configOf,
	longestEndMs: LONGEST_END,
	mayAbandonWork: false,
	// A client waits for the answer.
	longestWaitMs: 2000,
	async start({ config, queue, store, log, traces }) {
		// A Redis that was lost, or that keeps nothing on disk, learns of the jobs before anybody asks for them.
		const jobs = await queue.jobs.rebuild();
		if (jobs > 0) log.warn({ queued: jobs }, 'jobs were queued again from their records in the store');
		const models = await queue.inspections.rebuild();
		if (models > 0) log.warn({ models }, 'models were queued for inspection again');
		const server = await startServer({ config, port: config.port, queue, store, log, traces });
		const notifying = startNotifying({ queue, log, networks: config.webhookNetworks });
		log.info({ address: server.address }, 'listening');
		const message: ApiMessage = { type: 'listening', address: server.address };
		return { message, close: () => Promise.all([server.close(LONGEST_END - 1000), notifying.close(LONGEST_END - 3000)]) };
	},
});
