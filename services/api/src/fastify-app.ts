import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Scope } from '@steelyard/contracts';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { Caller } from './keys/caller.js';

declare module 'fastify' {
	interface FastifyContextConfig {
		/** Whether the route answers without the API key. */
		open?: boolean;
		/** Whether the body is a stream of bytes. */
		upload?: boolean;
		/** Where the answer is an event stream: always, or where the client accepts one; nowhere unless given. */
		stream?: 'always' | 'accepted';
		/** What a key has to be allowed; unless given, `read` for GET and HEAD, and `train` for other methods. */
		scope?: Scope;
	}
	interface FastifyRequest {
		/** Who sent it; null where no valid key came, which only an open route lets pass. See `callerOf`. */
		caller: Caller | null;
		/** Whether it was refused for lack of a valid key or of rights. */
		refused: boolean;
	}
}

/** The Fastify instance whose requests and answers are typed by the TypeBox schemas of their routes. */
export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypeProvider>;
