import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { InjectOptions } from 'fastify';
import type { App } from '../src/fastify-app.js';

/** The port that an application listens on. */
export const portOf = (app: App): number => (app.server.address() as AddressInfo).port;

/** An open event stream, read one frame at a time. `next` gives the lines of a frame that has an id, or null at the end of the stream. */
export async function openFrames(port: number, path: string, headers: Record<string, string> = {}) {
	const request = get({ port, host: '127.0.0.1', path, headers: { accept: 'text/event-stream', ...headers } });
	const [response] = (await once(request, 'response')) as [IncomingMessage];
	const frames = (async function* () {
		let pending = '';
		for await (const chunk of response.setEncoding('utf8')) {
			pending += chunk;
			const parts = pending.split('\n\n');
			pending = parts.pop() ?? '';
			for (const part of parts) if (part.startsWith('id:')) yield part.split('\n');
		}
	})();
	return {
		request,
		response,
		async next(): Promise<string[] | null> {
			const { value, done } = await frames.next();
			return done ? null : value;
		},
	};
}

/** As `inject`, but leaves a stream of events after the first of them: it may have no end. */
export async function injectOnce(app: App, request: InjectOptions) {
	const response = await app.inject({ ...request, payloadAsStream: true });
	let body = '';
	for await (const chunk of response.stream().setEncoding('utf8')) {
		body += chunk;
		if (/^data: .*\n\n/m.test(body)) break;
	}
	return { statusCode: response.statusCode, headers: response.headers, body };
}
