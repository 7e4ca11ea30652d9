import { timingSafeEqual } from 'node:crypto';
import { mayDo, ProblemError } from '@steelyard/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Config, isLoopback } from '../config.js';
import type { App } from '../fastify-app.js';
import { type Caller, FIRST, NOBODY, ownerOf, PROJECT_HEADER, scopeOf, workingIn } from '../keys/caller.js';
import type { Keys } from '../keys/keys.js';
import { digestOf, isToken } from '../keys/token.js';
import type { Guard } from './limits.js';

/**
 * Finds out who sends each request, and refuses what they may not do. Where the service has STEELYARD_API_KEY, every route that is not marked `open` demands that
 * or another key; where it has none, whoever sends a token of a key is held to that key.
 */
export function addAccess(app: App, { apiKey }: Pick<Config, 'apiKey'>, { keys, guard }: { keys: Keys; guard: Guard }): void {
	app.decorateRequest('caller', null);
	app.decorateRequest('refused', false);
	const first = apiKey === null ? null : digestOf(apiKey);

	/** Throws ProblemError where no valid key came, or too many that are not valid. */
	async function senderOf(request: FastifyRequest, reply: FastifyReply): Promise<Caller> {
		const given = /^Bearer +(.*?) *$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
		// The digests have equal lengths, so that the time of the comparison says nothing about the key.
		if (first !== null && timingSafeEqual(digestOf(given), first)) return FIRST;
		if (isToken(given)) {
			const key = await keys.verify(given, () => guard.attempt(request, reply));
			if (key !== null) return ownerOf(key);
		} else if (first === null) return NOBODY;
		else await guard.attempt(request, reply);
		throw new ProblemError(
			'unauthorized',
			'Send the API key as "Authorization: Bearer …": there is none, or one that is wrong, has expired or was revoked',
			'authorization',
		);
	}

	/** Paths that answer everybody, also that they do not know a method. */
	const openPaths = new Set<string>();
	app.addHook('onRoute', ({ url, config }) => {
		if (config?.open === true) openPaths.add(url);
	});
	const isOpen = ({ is404, routeOptions, url }: FastifyRequest): boolean =>
		is404 ? openPaths.has(url.split('?', 1)[0] ?? '') : routeOptions.config?.open === true;

	app.addHook('onRequest', async (request, reply) => {
		if (isOpen(request)) {
			// It answers everybody, and some more. A probe without a key is no failed try.
			if (first !== null && request.headers.authorization === undefined) return;
			request.caller = await senderOf(request, reply).catch((error: unknown) => {
				if (error instanceof ProblemError) return null;
				throw error;
			});
			reply.removeHeader('retry-after');
			return;
		}
		const sender = await senderOf(request, reply).catch((error: unknown) => {
			request.refused = error instanceof ProblemError && error.code === 'unauthorized';
			throw error;
		});
		request.caller = sender;
		if (sender.key !== null) {
			await guard.admit(request, reply);
			keys.use(sender.key);
		}
		try {
			request.caller = workingIn(sender, request.headers[PROJECT_HEADER]);
			// Where there is no route, any key will do.
			const needed = request.is404 ? 'read' : scopeOf(request.routeOptions.config?.scope, request.method);
			if (!mayDo(sender.scope, needed))
				throw new ProblemError('forbidden', `This needs a key of the scope ${needed}, and the key has the scope ${sender.scope}`);
		} catch (error) {
			if (error instanceof ProblemError && error.code === 'forbidden') {
				await guard.attempt(request, reply);
				request.refused = true;
			}
			throw error;
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
