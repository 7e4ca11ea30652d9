import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { isFinal, type JobStatus } from '@steelyard/contracts';

export const BIN = fileURLToPath(new URL('../bin/steelyard.js', import.meta.url));

export type Ended = { code: number | null; stdout: string; stderr: string };

/** The `steelyard` command as a shell starts it, its output not a terminal. */
export function start(
	args: readonly string[],
	env: NodeJS.ProcessEnv = {},
): ChildProcess & { said: () => Omit<Ended, 'code'>; ended: Promise<Ended> } {
	const child = spawn(process.execPath, [BIN, ...args], { env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
	const said = { stdout: '', stderr: '' };
	child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
	child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
	const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }));
	return Object.assign(child, { said: () => ({ ...said }), ended });
}

export const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> => start(args, env).ended;

export type Seen = { method: string; url: string; headers: IncomingMessage['headers']; body: Buffer };

/** A service in name only: what is asked of it, and answers that a test lays down by method and path. */
export type FakeService = {
	url: string;
	seen: Seen[];
	on(route: string, answer: (response: ServerResponse, request: Seen) => void): void;
	close(): Promise<void>;
};

export async function fakeService(): Promise<FakeService> {
	const answers = new Map<string, (response: ServerResponse, request: Seen) => void>();
	const seen: Seen[] = [];
	const server = createServer(async (request, response) => {
		const { method = '', url = '', headers } = request;
		const one = { method, url, headers, body: await buffer(request) };
		seen.push(one);
		const answer = answers.get(`${method} ${url.split('?')[0]}`);
		if (answer === undefined) problem(response, 404, 'not_found', `there is no ${url}`);
		else answer(response, one);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		seen,
		on: (route, answer) => void answers.set(route, answer),
		async close() {
			server.closeAllConnections();
			server.close();
			await once(server, 'close');
		},
	};
}

export function answer(response: ServerResponse, value: unknown, status = 200): void {
	response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

export function problem(response: ServerResponse, status: number, code: string, detail: string, param: string | null = null): void {
	response
		.writeHead(status, { 'content-type': 'application/problem+json' })
		.end(JSON.stringify({ type: `urn:steelyard:problem:${code}`, title: code, status, detail, code, param }));
}

export function events(response: ServerResponse, all: readonly object[]): void {
	response.writeHead(200, { 'content-type': 'text/event-stream' });
	for (const [i, event] of all.entries())
		response.write(`id: ${i + 1}-0\ndata: ${JSON.stringify({ id: `${i + 1}-0`, at: i + 1, ...event })}\n\n`);
	const last = all.at(-1) as { status?: JobStatus } | undefined;
	if (last?.status !== undefined && isFinal(last.status)) response.end();
}
