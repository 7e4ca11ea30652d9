import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';

declare module 'fastify' {
	interface FastifyContextConfig {
		/** Whether the route answers without the API key. */
		open?: boolean;
		/** Whether the body is a stream of bytes. */
		upload?: boolean;
	}
}

/** The Fastify instance whose requests and answers are typed by the TypeBox schemas of their routes. */
export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypeProvider>;
