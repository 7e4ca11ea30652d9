import { isId } from '@steelyard/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Audit } from '../audit/audit.js';
import type { App } from '../fastify-app.js';

const KINDS = ['ds', 'mdl', 'job', 'key'] as const;

/** The id of what a request is about, or of what it has made. What looks like no id is left out: it could be anything. */
function resourceOf({ params }: FastifyRequest, reply: FastifyReply): string | null {
	const { id } = (params ?? {}) as { id?: string };
	const made = /\/([^/]+)$/.exec(String(reply.getHeader('location') ?? ''))?.[1];
	return [id, made].find((one) => one !== undefined && KINDS.some((kind) => isId(kind, one))) ?? null;
}

/** Whether a request is worth a line: it was to change something and was not refused, or it was refused for lack of rights. */
function isWorth({ method, is404, refused, routeOptions }: FastifyRequest, status: number): boolean {
	if (refused) return true;
	if (routeOptions.config?.scope === 'read') return false;
	return !is404 && method !== 'GET' && method !== 'HEAD' && (status < 400 || status >= 499);
}

/** The status where the client left before there was an answer. */
const LEFT = 499;

/** Writes a line of the audit log about each request that changes something, and each that is refused for lack of rights. */
export function addAudit(app: App, audit: Audit): void {
	app.addHook('onRequest', async (request, reply) => {
		// It comes once, whether the answer was sent or the client has left before.
		reply.raw.once('close', () => {
			const status = reply.raw.headersSent ? reply.statusCode : LEFT;
			if (!isWorth(request, status)) return;
			const { caller, method, routeOptions } = request;
			audit.write({
				at: Date.now(),
				request: request.id,
				key: caller?.key ?? null,
				name: caller?.name ?? null,
				project: caller?.project ?? null,
				method,
				operation: routeOptions.schema?.operationId ?? routeOptions.url ?? null,
				resource: resourceOf(request, reply),
				status,
				address: request.ip,
			});
		});
	});
	app.addHook('onClose', () => audit.written());
}
