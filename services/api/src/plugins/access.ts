import { createHash, timingSafeEqual } from 'node:crypto';
import { ProblemError } from '@steelyard/contracts';
import { type Config, isLoopback } from '../config.js';
import type { App } from '../fastify-app.js';

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Makes every route that is not marked `open` demand the API key, if the service has one. */
export function addApiKey(app: App, { apiKey }: Pick<Config, 'apiKey'>): void {
	if (apiKey === null) return;
	const expected = digest(apiKey);
	app.addHook('onRequest', async (request) => {
		if (request.routeOptions.config?.open === true) return;
		const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
		// The digests have equal lengths, so that the time of the comparison says nothing about the key.
		if (given === undefined || !timingSafeEqual(digest(given), expected)) {
			throw new ProblemError('unauthorized', 'Send the API key as "Authorization: Bearer …"', 'authorization');
		}
	});
}

const hostname = (host: string): string | null => {
	try {
		return new URL(`http://${host}`).hostname;
	} catch {
		return null;
	}
};

/**
 * Keeps web pages of other sites away from a service that trusts its own machine. A page whose name was pointed at this machine (DNS rebinding)
 * still sends its own name as Host; a page that posts a form or a fetch across sites sends its own Origin. Any other address demands a key,
 * which no page of another site has.
 */
export function addSameSite(app: App, { host: bound }: Pick<Config, 'host'>): void {
	if (!isLoopback(bound)) return;
	app.addHook('onRequest', async ({ headers: { host = '', origin }, method }) => {
		const name = hostname(host);
		if (name === null || !isLoopback(name)) {
			throw new ProblemError('invalid_request', `Host is "${host}": this service listens on ${bound} for its own machine alone`, 'host');
		}
		if (origin === undefined || method === 'GET' || method === 'HEAD') return;
		if (origin !== `http://${host}`) {
			throw new ProblemError('invalid_request', `Origin is ${origin}: pages of other sites may not post here`, 'origin');
		}
	});
}
