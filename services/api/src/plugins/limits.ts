import rateLimit from '@fastify/rate-limit';
import { ProblemError } from '@steelyard/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../fastify-app.js';
import { wantsStream } from '../jobs/wants-stream.js';
import { callerOf } from '../keys/caller.js';
import type { Limits } from '../keys/limits.js';

export type Guard = {
	/** Counts a request that is about to be refused, or a key that is about to be checked. Throws ProblemError `too_many_requests`. */
	attempt(request: FastifyRequest, reply: FastifyReply): Promise<void>;
	/** Counts the request of a key until its answer has ended. Throws ProblemError `too_many_requests`. */
	admit(request: FastifyRequest, reply: FastifyReply): Promise<void>;
};

const MINUTE = 60_000;

/** Counts what is open by name. */
function createCounter(most: number): (name: string) => (() => void) | null {
	const open = new Map<string, number>();
	return (name) => {
		const count = open.get(name) ?? 0;
		if (count >= most) return null;
		open.set(name, count + 1);
		return () => {
			const left = (open.get(name) ?? 1) - 1;
			if (left === 0) open.delete(name);
			else open.set(name, left);
		};
	};
}

/** Makes the limits of keys and addresses. They are counted in the memory of this process. */
export async function createGuard(app: App, { rate, requests, streams, refusals }: Limits): Promise<Guard> {
	await app.register(rateLimit, { global: false });
	const keyOf = (request: FastifyRequest): string => callerOf(request).key ?? '';
	const limiters = {
		rate: app.createRateLimit({ max: rate, timeWindow: MINUTE, keyGenerator: keyOf }),
		address: app.createRateLimit({ max: refusals, timeWindow: MINUTE }),
		rights: app.createRateLimit({ max: refusals, timeWindow: MINUTE, keyGenerator: keyOf }),
	};
	const counters = { requests: createCounter(requests), streams: createCounter(streams) };

	async function count(limiter: keyof typeof limiters, refusal: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
		const found = await limiters[limiter](request);
		if (found.isAllowed || !found.isExceeded) return;
		const seconds = Math.max(1, found.ttlInSeconds);
		reply.header('retry-after', String(seconds));
		throw new ProblemError('too_many_requests', `${refusal}; try again in ${seconds} s`);
	}

	return {
		attempt: (request, reply) =>
			request.caller === null
				? count('address', `This address has sent more than ${refusals} requests in a minute without a valid key`, request, reply)
				: count('rights', `This key was refused more than ${refusals} times in a minute`, request, reply),

		async admit(request, reply) {
			await count('rate', `This key has sent more than ${rate} requests in a minute`, request, reply);
			const { stream } = request.routeOptions.config ?? {};
			const isStream = stream === 'always' || (stream === 'accepted' && wantsStream(request.headers.accept));
			const done = counters[isStream ? 'streams' : 'requests'](keyOf(request));
			if (done === null)
				throw new ProblemError(
					'too_many_requests',
					isStream ? `This key has ${streams} event streams open` : `This key has ${requests} requests under way`,
				);
			// The client may have left while its key was checked.
			if (reply.raw.closed) done();
			else reply.raw.once('close', done);
		},
	};
}
