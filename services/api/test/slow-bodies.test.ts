import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../src/fastify-app.js';
import { addBounds } from '../src/plugins/bounds.js';
import { addProblems } from '../src/plugins/problems.js';

let app: App;
beforeEach(async () => {
	app = Fastify().withTypeProvider<TypeBoxTypeProvider>();
	addProblems(app);
	addBounds(app, { longestBodyMs: 50 });
	app.addContentTypeParser('text/plain', { parseAs: 'string' }, async (_request: unknown, body: string) => body);
	app.addContentTypeParser('application/octet-stream', async (_request: unknown, body: NodeJS.ReadableStream) => body);
	app.post('/text', async ({ body }) => body);
	app.post('/upload', { config: { upload: true } }, async ({ body }) => {
		let text = '';
		for await (const chunk of body as NodeJS.ReadableStream) text += String(chunk);
		return text;
	});
	await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(() => app.close());

/** Sends the head of a request and a part of its body; `answer` is everything that comes back until the connection ends. */
async function send(path: string, type: string): Promise<{ rest(text: string): void; answer: Promise<string> }> {
	const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
	await once(socket, 'connect');
	socket.write(`POST ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: ${type}\r\ncontent-length: 10\r\n\r\nfirst`);
	let text = '';
	socket.setEncoding('utf8').on('data', (part) => (text += part));
	return { rest: (more) => socket.write(more), answer: once(socket, 'close').then(() => text) };
}

describe('the bounds of a request', () => {
	it('end a body that stalls with an answer', async () => {
		const { answer } = await send('/text', 'text/plain');
		expect(await answer).toMatch(/^HTTP\/1.1 400 .*connection: close.*did not arrive within 0.05 s/is);
	});

	it('leave an upload its time', async () => {
		const slow = await send('/text', 'text/plain');
		const upload = await send('/upload', 'application/octet-stream');
		await slow.answer;
		upload.rest(' rest');
		expect(await upload.answer).toMatch(/^HTTP\/1.1 200 .*first rest$/s);
	});

	it('tell browsers to take no answer for a page, and to frame none', async () => {
		for (const url of ['/text', '/none'])
			expect((await app.inject({ method: 'POST', url, headers: { 'content-type': 'text/plain' }, payload: '' })).headers).toMatchObject({
				'x-content-type-options': 'nosniff',
				'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
			});
	});
});
