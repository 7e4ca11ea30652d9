import type { AddressInfo } from 'node:net';
import { type AppOptions, buildApp } from './app.js';

/** The API while it listens. */
export type Server = {
	/** The address at which it listens, such as `http://127.0.0.1:8080`. */
	address: string;
	/** Refuses new connections and waits for the requests that have begun. After `graceMs` milliseconds it cuts those that have not ended. */
	close(graceMs?: number): Promise<void>;
};

/** Builds the API and makes it listen. Rejects with the error of the system if it cannot listen at the address. */
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
