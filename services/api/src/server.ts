import type { AddressInfo } from 'node:net';
import { type AppOptions, buildApp } from './app.js';

export type Server = {
	/** Where it listens, such as `http://127.0.0.1:8080`. */
	address: string;
	/** Takes no more connections, lets requests under way end, and after `graceMs` milliseconds cuts those that have not. */
	close(graceMs?: number): Promise<void>;
};

/** Listens. Rejects with the system's error where the address cannot be had. */
export async function startServer({ port, ...options }: AppOptions & { port: number }): Promise<Server> {
	const app = await buildApp(options);
	await app.listen({ host: options.config.host, port });
	const { address, family, port: actual } = app.server.address() as AddressInfo;
	return {
		address: `http://${family === 'IPv6' ? `[${address}]` : address}:${actual}`,
		async close(graceMs = 4000) {
			const cut = setTimeout(() => app.server.closeAllConnections(), graceMs);
			try {
				await app.close();
			} finally {
				clearTimeout(cut);
			}
		},
	};
}
