import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { App } from '../fastify-app.js';

/** The header of every answer that names its request, as the lines of the log do. */
export const REQUEST_ID = 'x-request-id';

/** The id of a request: the one that its client or a proxy gave to it, if that can stand in a log, else a new one. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
	const given = headers[REQUEST_ID];
	return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

/** Tells the id of a request in its answer. Answers to what never becomes a request are in `problems.ts`. */
export function addRequestId(app: App): void {
	app.addHook('onRequest', async (request, reply) => {
		reply.header(REQUEST_ID, request.id);
	});
}
