import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What goes wrong with one request. */
export type Fault =
	/** It is answered so, and goes no further. */
	| { status: number; code: string }
	/** The connection ends after so many bytes of the answer's body. */
	| { cut: number }
	/** Every byte of the answer's body is changed. */
	| 'wrong bytes'
	/** It is done, and the connection ends before it is answered. */
	| 'lost answer'
	/** It is never answered. */
	| 'silence'
	/** A header is left out. */
	| { without: string };

export type FaultyProxy = {
	endpoint: string;
	/** Decides what goes wrong with a request, by its method and path; null for nothing. */
	fault: (request: IncomingMessage) => Promise<Fault | null> | Fault | null;
	/** How many requests came. */
	requests: number;
	/** Resolves when no answer is under way. */
	idle(): Promise<void>;
	close(): Promise<void>;
};

/** A server on loopback that passes requests on to `target`, with faults. */
export async function startFaultyProxy(target: string): Promise<FaultyProxy> {
	let underWay = 0;
	const server = createServer((request, response) => {
		underWay++;
		response.once('close', () => {
			underWay--;
		});
		void answer(request, response).catch(() => response.destroy());
	});
	async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		proxy.requests++;
		const body: Buffer[] = [];
		for await (const chunk of request) body.push(chunk as Buffer);
		const fault = await proxy.fault(request);
		if (fault === 'silence') return;
		if (fault !== null && typeof fault === 'object' && 'status' in fault) {
			response.writeHead(fault.status, { 'content-type': 'application/xml' });
			response.end(
				request.method === 'HEAD' ? '' : `<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>made by a test</Message></Error>`,
			);
			return;
		}
		const headers = { ...request.headers };
		if (fault !== null && typeof fault === 'object' && 'without' in fault) delete headers[fault.without];
		const passed = send(target + request.url, { method: request.method ?? 'GET', headers, agent: false });
		passed.end(Buffer.concat(body));
		const [real] = (await once(passed, 'response')) as [IncomingMessage];
		const parts: Buffer[] = [];
		for await (const chunk of real) parts.push(chunk as Buffer);
		const whole = Buffer.concat(parts);
		if (fault === 'lost answer') return void response.destroy();
		response.writeHead(real.statusCode ?? 500, real.headers);
		if (fault !== null && typeof fault === 'object' && 'cut' in fault)
			return void response.write(whole.subarray(0, fault.cut), () => response.destroy());
		response.end(fault === 'wrong bytes' ? whole.map((byte) => byte ^ 1) : whole);
	}
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const proxy: FaultyProxy = {
		endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		fault: () => null,
		requests: 0,
		async idle() {
			while (underWay > 0) await delay(5);
		},
		async close() {
			server.close();
			server.closeAllConnections();
			await once(server, 'close');
		},
	};
	return proxy;
}
