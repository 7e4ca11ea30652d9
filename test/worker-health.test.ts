import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeAuthority, OPENSSL, openServers, type Servers } from '../packages/redis/test/forms.js';
import { BINARY, freePort, remove, temporaryFolder } from '../packages/redis/test/servers.js';

const FILE = fileURLToPath(new URL('../docker/worker-health.js', import.meta.url));

/** Whether the health check of a worker's container finds a Redis. */
async function isHealthy(env: Record<string, string>): Promise<boolean> {
	const child = spawn(process.execPath, [FILE], { env, stdio: 'ignore' });
	const [code] = (await once(child, 'exit')) as [number];
	return code === 0;
}

describe.skipIf(BINARY === null)('the health check of a worker’s container', () => {
	let folder: string;
	let servers: Servers;
	beforeEach(async () => {
		folder = await temporaryFolder();
		servers = openServers(BINARY as string, folder);
	});
	afterEach(async () => {
		await servers.close();
		await remove(folder);
	});

	it('finds a Redis that answers, also one that asks for a password, and not one that is away', async () => {
		const { port } = await servers.startRedis(['requirepass hush'], { password: 'hush' });
		expect(await isHealthy({ REDIS_URL: `redis://127.0.0.1:${port}` })).toBe(true);
		expect(await isHealthy({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` })).toBe(false);
	});

	it('finds one of several sentinels', async () => {
		const { port } = await servers.startRedis();
		const sentinel = await servers.startSentinel({ name: 'wards', port });
		const gone = `127.0.0.1:${await freePort()}`;
		expect(await isHealthy({ REDIS_URL: `redis+sentinel://:hush@${gone},127.0.0.1:${sentinel.port}/wards` })).toBe(true);
		expect(await isHealthy({ REDIS_URL: `redis+sentinel://:hush@${gone}/wards` })).toBe(false);
	});

	it.skipIf(OPENSSL === null)('finds one that speaks TLS, by the certificate of its authority', async () => {
		const { ca, cert, key } = await makeAuthority(folder, 'own');
		const lines = [`tls-cert-file ${cert}`, `tls-key-file ${key}`, `tls-ca-cert-file ${ca}`, 'tls-auth-clients no'];
		const { port } = await servers.startRedis(lines, { tls: { rejectUnauthorized: false } });
		expect(await isHealthy({ REDIS_URL: `rediss://127.0.0.1:${port}`, REDIS_CA_FILE: ca })).toBe(true);
		expect(await isHealthy({ REDIS_URL: `rediss://127.0.0.1:${port}` })).toBe(false);
	});
});
