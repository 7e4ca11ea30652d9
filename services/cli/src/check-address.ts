import { once } from 'node:events';
import { createServer } from 'node:net';

/** What to do about an address at which something listens already. */
export const inUse = (host: string, port: number | string): string =>
	`${host}:${port} is in use: end what listens there, or choose another port by --port or PORT`;

/** Rejects where nothing can listen at an address, which the API would find out only when all else has started. */
export async function checkAddress(host: string, port: number): Promise<void> {
	const server = createServer().listen(port, host);
	await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
		throw new Error(error.code === 'EADDRINUSE' ? inUse(host, port) : `cannot listen on ${host}: ${error.message}`, { cause: error });
	});
	server.close();
	await once(server, 'close');
}
