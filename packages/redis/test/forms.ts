import { execFileSync, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import { ended, freePort, until } from './servers.js';

/** The openssl that is installed, or null: what needs it is then skipped. */
export const OPENSSL = (() => {
	try {
		return execFileSync('openssl', ['version'], { encoding: 'utf8' }).trim();
	} catch {
		return null;
	}
})();

export type Authority = { ca: string; cert: string; key: string };

/** Makes an authority and a certificate of it for 127.0.0.1 and localhost; gives the paths. */
export async function makeAuthority(folder: string, name: string): Promise<Authority> {
	const at = (file: string) => join(folder, `${name}-${file}`);
	const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
	const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
	await writeFile(at('names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
	openssl('req', '-x509', ...curve, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-days', '2', '-subj', `/CN=${name}`);
	openssl('req', ...curve, '-keyout', at('key.pem'), '-out', at('request.pem'), '-subj', '/CN=redis');
	const by = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial'];
	openssl('x509', '-req', '-in', at('request.pem'), ...by, '-out', at('cert.pem'), '-days', '2', '-extfile', at('names'));
	return { ca: at('ca.pem'), cert: at('cert.pem'), key: at('key.pem') };
}

export type Server = { port: number; pid: number; options: RedisOptions; kill(signal?: NodeJS.Signals): Promise<void> };

/** Servers of a test, all of which are ended by `close`. */
export function openServers(binary: string, folder: string) {
	const servers: Server[] = [];

	/** Starts a server with lines of its configuration; resolves once it answers. `login`: how to ask whether it does. */
	async function start(lines: readonly string[], login: RedisOptions = {}, args: string[] = []): Promise<Server> {
		const port = await freePort();
		const home = join(folder, `server-${port}`);
		await mkdir(home);
		const file = join(home, 'redis.conf');
		const listen = login.tls === undefined ? [`port ${port}`] : ['port 0', `tls-port ${port}`];
		await writeFile(file, `${[...listen, 'bind 127.0.0.1', `dir ${home}`, ...lines].join('\n')}\n`);
		const child = spawn(binary, [file, ...args], { stdio: 'ignore' });
		const options = { host: '127.0.0.1', port, ...login };
		const probe = new Redis({ ...options, maxRetriesPerRequest: null, retryStrategy: () => 20, replyMapping: 'legacy' });
		probe.on('error', () => {});
		await probe.ping();
		probe.disconnect();
		const server: Server = {
			port,
			pid: child.pid as number,
			options,
			async kill(signal = 'SIGTERM') {
				child.kill(signal);
				await ended(child);
			},
		};
		servers.push(server);
		return server;
	}

	return {
		start,
		/** A server that keeps nothing on disk and evicts nothing. */
		startRedis: (lines: readonly string[] = [], login: RedisOptions = {}) =>
			start(['save ""', 'appendonly no', 'maxmemory-policy noeviction', ...lines], login),
		/** A sentinel that watches a master, of which it alone decides within a second that it has gone. */
		startSentinel: (master: { name: string; port: number; password?: string }, lines: readonly string[] = [], login: RedisOptions = {}) =>
			start(
				[
					`sentinel monitor ${master.name} 127.0.0.1 ${master.port} 1`,
					`sentinel down-after-milliseconds ${master.name} 500`,
					`sentinel failover-timeout ${master.name} 5000`,
					...(master.password === undefined ? [] : [`sentinel auth-pass ${master.name} ${master.password}`]),
					...lines,
				],
				login,
				['--sentinel'],
			),
		async close() {
			for (const server of servers.splice(0).reverse()) await server.kill('SIGKILL');
		},
	};
}
export type Servers = ReturnType<typeof openServers>;

/** Asks a server something on a connection of its own. */
export async function on<T>({ options }: Pick<Server, 'options'>, use: (redis: Redis) => Promise<T>): Promise<T> {
	const redis = new Redis({ ...options, maxRetriesPerRequest: 0, retryStrategy: null, replyMapping: 'legacy' });
	redis.on('error', () => {});
	try {
		return await use(redis);
	} finally {
		redis.disconnect();
	}
}

/** Waits until a server is the replica of another, with all that it has. */
export const isReplica = (server: Server) =>
	until(async () => /master_link_status:up/.test(await on(server, (redis) => redis.info('replication'))));

/** A master with a replica and a sentinel that watches both and would promote the replica. */
export async function startWatched(
	servers: Servers,
	{ name = 'mymaster', lines = [] as readonly string[] } = {},
): Promise<{ master: Server; replica: Server; sentinel: Server; url: string }> {
	const master = await servers.startRedis(['repl-diskless-sync-delay 0', ...lines]);
	const replica = await servers.startRedis([`replicaof 127.0.0.1 ${master.port}`, ...lines]);
	await isReplica(replica);
	const sentinel = await servers.startSentinel({ name, port: master.port });
	await until(async () => {
		const known = (await on(sentinel, (redis) => redis.call('SENTINEL', 'replicas', name))) as string[][];
		return known.some((fields) => fields.includes(String(replica.port)) && !fields.includes('s_down,slave'));
	});
	return { master, replica, sentinel, url: `redis+sentinel://127.0.0.1:${sentinel.port}/${name}` };
}

/** Waits until the sentinel names another master than the one at `port`. */
export const namesAnother = (sentinel: Server, port: number, name = 'mymaster') =>
	until(async () => {
		const [, named] = (await on(sentinel, (redis) => redis.call('SENTINEL', 'get-master-addr-by-name', name))) as string[];
		return named !== undefined && named !== String(port);
	});
