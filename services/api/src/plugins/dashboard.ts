import { existsSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import fastifyStatic from '@fastify/static';
import { PAGE_FOLDER } from '@steelyard/dashboard';
import { Type } from 'typebox';
import type { App } from '../fastify-app.js';

/**
 * What the page may load and do: its own files and requests to this service, nothing else. Pictures that it draws are data or blobs of its own. uPlot and Preact
 * set styles by script, which is no inline style.
 */
const CONTENT_SECURITY_POLICY = [
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self'",
	"img-src 'self' data: blob:",
	"connect-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
].join('; ');

/** Names in this folder hold a hash of the content, so that a file never changes. */
const HASHED = `assets${sep}`;

/** Serves the files of the page, its index at `/`. They are the same for everybody, and need no key. Without a built page there is nothing at `/`. */
export async function addDashboard(app: App, folder: string = PAGE_FOLDER): Promise<void> {
	if (!existsSync(folder)) {
		app.log.warn('the page of the service was not built: / has nothing');
		return;
	}
	const files = readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && !/\.(br|gz)$/.test(entry.name))
		.map((entry) => relative(folder, join(entry.parentPath, entry.name)));
	await app.register(async (scope: App) => {
		await scope.register(fastifyStatic, { root: folder, serve: false, preCompressed: true, cacheControl: false });
		for (const file of files)
			scope.route({
				method: 'GET',
				url: file === 'index.html' ? '/' : `/${file.split(sep).join('/')}`,
				config: { open: true },
				schema: { hide: true, response: { 200: Type.Unsafe<string>({}) } },
				handler: async (_request, reply) => {
					reply
						.header('cache-control', file.startsWith(HASHED) ? 'public, max-age=31536000, immutable' : 'no-cache')
						.header('content-security-policy', CONTENT_SECURITY_POLICY);

					return reply.sendFile(file);
				},
			});
	});
}
