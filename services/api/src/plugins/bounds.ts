import { ProblemError } from '@steelyard/contracts';
import type { App } from '../fastify-app.js';

/** The most connections at the same time, event streams among them; one more is cut off. */
const CONNECTIONS = 1024;
/** How long a body may take to arrive that is no upload, in milliseconds. */
const LONGEST_BODY = 10_000;

/** What a browser may do with an answer: show it as what it is, in no frame and with nothing of other sites. */
const HEADERS = {
	'x-content-type-options': 'nosniff',
	'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
	'cross-origin-resource-policy': 'same-origin',
	'referrer-policy': 'no-referrer',
};

/** Bounds what one client can hold: connections, and the time of a body that comes slowly. Every answer says what a browser may do with it. */
export function addBounds(app: App, { longestBodyMs = LONGEST_BODY } = {}): void {
	app.server.maxConnections = CONNECTIONS;
	app.addHook('onRequest', async (_request, reply) => {
		reply.headers(HEADERS);
	});
	app.addHook('preParsing', async ({ headers, routeOptions }, reply, payload) => {
		const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
		if (!hasBody || routeOptions.config?.upload === true) return payload;
		const late = setTimeout(() => {
			reply.header('connection', 'close');
			const problem = new ProblemError('invalid_request', `The body did not arrive within ${longestBodyMs / 1000} s`);
			// Whoever reads the body answers. Where nobody does, nothing is left to be said.
			if (payload.listenerCount('error') > 0) payload.emit('error', problem);
			else reply.raw.destroy();
		}, longestBodyMs);
		for (const event of ['end', 'close']) payload.once(event, () => clearTimeout(late));
		reply.raw.once('close', () => clearTimeout(late));
		return payload;
	});
}
