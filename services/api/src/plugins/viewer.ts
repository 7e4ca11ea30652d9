import swaggerUi from '@fastify/swagger-ui';
import type { App } from '../fastify-app.js';

/** Where the page is. */
const PAGE = '/docs';

/** What a browser may do with the page: run and show what comes from this service, ask this service, and nothing else. */
const POLICY = [
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self'",
	// The icons of the style sheet are written into it.
	"img-src 'self' data:",
	"connect-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
].join('; ');

/** Paths that the viewer would answer itself, and where its answers are: in one place each. They are relative, so that a proxy may put the service under a path. */
const ELSEWHERE: Readonly<Record<string, string>> = {
	[PAGE]: './docs/',
	[`${PAGE}/yaml`]: '../openapi.json',
};

/**
 * Serves a page at `/docs` that shows the OpenAPI document and tries its operations out. All of it comes from this service. Like the document it answers everybody,
 * since it holds nothing of the installation; what it asks for in the name of the user needs the key that its button Authorize takes.
 */
export async function addViewer(app: App): Promise<void> {
	// Whoever may ask for it without a key must not make it be written each time.
	let document: string | undefined;
	/** The OpenAPI document, and where the service is as seen from here, since the page would take it to be at the root of the host. */
	const documentForPage = (): string => {
		document ??= JSON.stringify({ ...app.swagger(), servers: [{ url: '..', description: 'this service' }] });
		return document;
	};
	await app.register(async (scope: App) => {
		scope.addHook('onRoute', (route) => {
			route.config = { ...route.config, open: true };
		});
		await scope.register(swaggerUi, {
			routePrefix: PAGE,
			staticCSP: POLICY,
			theme: { title: 'Steelyard: the API' },
			uiConfig: { layout: 'BaseLayout', defaultModelsExpandDepth: 0, displayRequestDuration: true },
			uiHooks: {
				onRequest: (request, reply, done) => {
					const path = request.url.split('?', 1)[0] ?? '';
					const place = ELSEWHERE[path];
					if (place !== undefined) reply.redirect(place);
					else if (path === `${PAGE}/json`) reply.type('application/json; charset=utf-8').send(documentForPage());
					else done();
				},
			},
		});
	});
}
