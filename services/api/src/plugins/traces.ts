import type { Span, Traces } from '@steelyard/service-process';
import type { App } from '../fastify-app.js';

declare module 'fastify' {
	interface FastifyRequest {
		/** The span of the request; null where it is not traced. */
		span: Span | null;
	}
}

/** Traces every request but those of probes and scrapes. A request that says of which trace it is a part goes on with that. */
export function addTraces(app: App, traces: Traces | null): void {
	app.decorateRequest('span', null);
	if (traces === null) return;
	app.addHook('onRequest', async (request) => {
		const { method, headers, routeOptions } = request;
		if (routeOptions.config?.open === true || routeOptions.schema?.hide === true) return;
		const { traceparent } = headers;
		const route = routeOptions.url;
		request.span = traces.begin(
			route === undefined ? method : `${method} ${route}`,
			typeof traceparent === 'string' ? traceparent : undefined,
			{
				kind: 'server',
				attributes: {
					'http.request.method': method,
					...(route === undefined ? {} : { 'http.route': route }),
					'url.scheme': 'http',
					'url.path': request.url.split('?', 1)[0] ?? '',
					'steelyard.request.id': request.id,
				},
			},
		);
	});
	app.addHook('onResponse', async ({ span }, { statusCode }) => {
		if (span === null) return;
		span.set({ 'http.response.status_code': statusCode });
		span.end(statusCode >= 500 ? String(statusCode) : undefined);
	});
}
