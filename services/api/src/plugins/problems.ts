import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Problem, type ProblemCode, ProblemError, problems } from '@steelyard/contracts';
import { isRedisAway } from '@steelyard/redis';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../fastify-app.js';
import { REQUEST_ID } from './request-id.js';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** The body of the answer to an error. */
export const problemOf = ({ code, message, param }: Pick<ProblemError, 'code' | 'message' | 'param'>): Problem => ({
	type: `urn:steelyard:problem:${code}`,
	title: problems[code].title,
	status: problems[code].status,
	detail: message,
	code,
	param,
});

const codeOfStatus = (status: number): ProblemCode => {
	switch (status) {
		case 401:
			return 'unauthorized';
		case 404:
		case 414:
			return 'not_found';
		case 413:
			return 'too_large';
		default:
			return 'invalid_request';
	}
};

const isProblem = (error: unknown): error is ProblemError => error instanceof ProblemError;

/** Says which media types the route of a request takes, and which one came. */
const unsupportedType = ({ headers, routeOptions }: FastifyRequest): string => {
	const wanted = routeOptions.schema?.consumes ?? ['application/json'];
	const found = headers['content-type'];
	return `Content-Type must be ${wanted.join(' or ')}; found ${found === undefined ? 'none' : JSON.stringify(found.slice(0, 100))}`;
};

/** The problem that a client sees for an error. The text of an unexpected error is not shown to it, only logged. */
function asProblem(error: unknown, request: FastifyRequest): ProblemError {
	if (isProblem(error)) return error;
	const { statusCode, code, message } = error as Partial<FastifyError>;
	if (code === 'ENOSPC' || code === 'EDQUOT') return new ProblemError('insufficient_storage', 'No space is left on the disk');
	if (isRedisAway(error)) return new ProblemError('unavailable', 'Redis does not answer; try again in a while');
	if (statusCode === undefined || statusCode < 400 || statusCode >= 500) {
		return new ProblemError('internal', 'The request could not be answered; the log of the service says why');
	}
	if (statusCode === 415) return new ProblemError('unsupported_media_type', unsupportedType(request), 'content-type');
	return new ProblemError(codeOfStatus(statusCode), message ?? STATUS_CODES[statusCode] ?? 'refused');
}

/** Answers a request with the problem document of an error, and logs the error if the service is to blame. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
	const problem = asProblem(error, request);
	if (problem.status >= 500 && problem.code !== 'unavailable' && problem.code !== 'insufficient_storage') {
		request.log.error({ err: error }, 'a request failed unexpectedly');
	} else if (problem.status >= 500) request.log.warn({ err: error }, problem.message);
	// A handler that fails may have set these for the answer that it prepared.
	for (const header of ['content-length', 'content-disposition', 'etag', 'accept-ranges', 'cache-control', 'location'])
		reply.removeHeader(header);
	if (problem.code !== 'range_not_satisfiable') reply.removeHeader('content-range');
	if (problem.code === 'unauthorized') reply.header('www-authenticate', 'Bearer');
	if (problem.code === 'unavailable' || (problem.code === 'too_many_requests' && !reply.hasHeader('retry-after')))
		reply.header('retry-after', '1');
	// It is sent as text because a problem has the same form on every route, whatever the route's schemas are.
	return reply
		.header(REQUEST_ID, request.id)
		.code(problem.status)
		.type(PROBLEM_TYPE)
		.send(JSON.stringify(problemOf(problem)));
}

/** Answers on a connection that carries no HTTP request, for which Fastify has neither request nor reply: bad syntax, a header that is too large or never ends. */
export function refuseConnection(error: Error & { code?: string }, socket: Duplex): void {
	if (error.code === 'ECONNRESET' || !socket.writable) {
		socket.destroy();
		return;
	}
	const detail =
		error.code === 'HPE_HEADER_OVERFLOW'
			? 'The header of the request is larger than 16 KiB'
			: error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
				? 'The request did not arrive in time'
				: 'This is not a valid HTTP request';
	const body = JSON.stringify(problemOf(new ProblemError('invalid_request', detail)));
	socket.end(
		`HTTP/1.1 400 Bad Request\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${REQUEST_ID}: ${randomUUID()}\r\nconnection: close\r\n\r\n${body}`,
		() => socket.destroy(),
	);
}

/** Answers every error with a problem document, also where no route is reached: 404, or 405 if the path has routes for other methods. */
export function addProblems(app: App): void {
	const paths = new Map<string, { pattern: RegExp; methods: Set<string> }>();
	app.addHook('onRoute', ({ url, method }) => {
		const pattern = new RegExp(`^${url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:[A-Za-z_]+/g, '[^/]+')}$`);
		const path = paths.get(url) ?? { pattern, methods: new Set() };
		for (const one of Array.isArray(method) ? method : [method]) path.methods.add(one);
		paths.set(url, path);
	});
	/** The problem of a request that reaches no route. Its answer names the methods that the path knows. */
	const unreached = (request: FastifyRequest, reply: FastifyReply): ProblemError => {
		const path = request.url.split('?', 1)[0] ?? '';
		const known = [...paths.values()].find(({ pattern }) => pattern.test(path));
		if (known === undefined) return new ProblemError('not_found', `There is nothing at ${path}`);
		const methods = [...known.methods].join(', ');
		reply.header('allow', methods);
		return new ProblemError('method_not_allowed', `${path} knows ${methods}, not ${request.method}`);
	};
	app.setErrorHandler(sendProblem);
	app.setNotFoundHandler((request, reply) => sendProblem(unreached(request, reply), request, reply));
	// After it is known who asks, and before the body is looked at, which could be refused for a reason that is none here.
	app.addHook('preParsing', async (request, reply, payload) => {
		if (request.is404) throw unreached(request, reply);
		return payload;
	});
}
