import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { admitRedis, connect, isRedisAway, optionsOf, RedisUnsuitableError } from '../src/index.js';
import { type Authority, isReplica, makeAuthority, namesAnother, OPENSSL, on, openServers, type Servers, startWatched } from './forms.js';
import { BINARY, freePort, remove, temporaryFolder, until } from './servers.js';

/** The sentence in which a Redis is refused. */
const refusal = async (url: string, beside = {}, prefix?: string): Promise<string> => {
	const error: unknown = await admitRedis(optionsOf(url, beside), prefix).then(
		() => null,
		(thrown: unknown) => thrown,
	);
	expect(error).toBeInstanceOf(RedisUnsuitableError);
	return (error as Error).message;
};

/** A password that no message may show. */
const SECRET = 'hush-hush';

describe.skipIf(BINARY === null)('a Redis that REDIS_URL names', () => {
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

	it('lets in by a password, and says that it refuses another, or that one is missing', async () => {
		const { port } = await servers.startRedis([`requirepass ${SECRET}`], { password: SECRET });
		expect(await admitRedis(optionsOf(`redis://:${SECRET}@127.0.0.1:${port}`))).toBeNull();
		const wrong = await refusal(`redis://:${SECRET}-not@127.0.0.1:${port}`);
		expect(wrong).toBe(`The Redis at 127.0.0.1:${port} cannot be used: it refuses the password: look at REDIS_URL`);
		expect(await refusal(`redis://127.0.0.1:${port}`)).toMatch(/it demands a password, and none was given: look at REDIS_URL$/);
	});

	it('lets in a user of its access list, and names the one that it refuses, or that may not do enough', async () => {
		const users = [`user ann on >${SECRET} ~* &* +@all`, `user bob on >${SECRET} ~* &* +@all -info`];
		const { port } = await servers.startRedis(users);
		expect(await admitRedis(optionsOf(`redis://ann:${SECRET}@127.0.0.1:${port}/2`))).toBeNull();
		const wrong = await refusal(`redis://ann:${SECRET}-not@127.0.0.1:${port}`);
		expect(wrong).toMatch(/it refuses the password of the user "ann", or knows no such user: look at REDIS_URL$/);
		expect(wrong).not.toContain(SECRET);
		expect(await refusal(`redis://bob:${SECRET}@127.0.0.1:${port}`)).toMatch(
			/the user "bob" may not do what is needed there: NOPERM .*info/,
		);
	});

	it('says that nothing listens', async () => {
		expect(await refusal(`redis://127.0.0.1:${await freePort()}`)).toMatch(/cannot be used: nothing listens there \(connect ECONNREFUSED/);
	});

	describe('of one node of a cluster', () => {
		it('takes all keys of a prefix in braces, and no other', async () => {
			const node = await servers.startRedis(['cluster-enabled yes']);
			await on(node, (redis) => redis.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383'));
			const url = `redis://127.0.0.1:${node.port}`;
			expect(await refusal(url)).toMatch(
				/a Redis Cluster, in which all keys .* in one slot: set STEELYARD_PREFIX to a name in braces, such as \{steelyard\}$/,
			);
			expect(await admitRedis(optionsOf(url), '{steelyard}')).toBeNull();
		});

		it('names the node that has the keys', async () => {
			const [one, other] = [await servers.startRedis(['cluster-enabled yes']), await servers.startRedis(['cluster-enabled yes'])];
			const slot = (await on(one, (redis) => redis.call('CLUSTER', 'KEYSLOT', '{steelyard}:2:x'))) as number;
			const id = (await on(other, (redis) => redis.call('CLUSTER', 'MYID'))) as string;
			await on(one, (redis) => redis.call('CLUSTER', 'ADDSLOTSRANGE', '0', String(slot - 1), String(slot + 1), '16383'));
			await on(other, (redis) => redis.call('CLUSTER', 'ADDSLOTS', String(slot)));
			await on(one, (redis) => redis.call('CLUSTER', 'MEET', '127.0.0.1', String(other.port)));
			for (let knows = ''; !knows.includes(`${slot}`) || !knows.includes(id) || !knows.includes('cluster_state:ok'); )
				knows = `${await on(one, (redis) => redis.call('CLUSTER', 'NODES'))}${await on(one, (redis) => redis.call('CLUSTER', 'INFO'))}`;
			const url = `redis://127.0.0.1:${one.port}`;
			expect(await refusal(url, {}, '{steelyard}')).toMatch(new RegExp(`in slot ${slot}, at 127.0.0.1:${other.port}: name that node$`));
			expect(await admitRedis(optionsOf(`redis://127.0.0.1:${other.port}`), '{steelyard}')).toBeNull();
		});
	});

	describe.skipIf(OPENSSL === null)('by TLS', () => {
		let certificates: string;
		let own: Authority;
		let other: Authority;
		beforeAll(async () => {
			certificates = await temporaryFolder();
			[own, other] = [await makeAuthority(certificates, 'own'), await makeAuthority(certificates, 'other')];
		});
		afterAll(() => remove(certificates));
		const read = (file: string) => readFileSync(file, 'utf8');
		const lines = (more: readonly string[] = ['tls-auth-clients no']) => [
			...[`tls-cert-file ${own.cert}`, `tls-key-file ${own.key}`, `tls-ca-cert-file ${own.ca}`],
			...more,
		];

		it('is used where the authority of its certificate is given, and refused where it is not, or is another', async () => {
			const { port } = await servers.startRedis([...lines(), `requirepass ${SECRET}`], { tls: { ca: read(own.ca) }, password: SECRET });
			const url = `rediss://:${SECRET}@127.0.0.1:${port}`;
			expect(await admitRedis(optionsOf(url, { ca: read(own.ca) }))).toBeNull();
			expect(await refusal(url)).toMatch(/signed by an authority that is not known here: name a file with .* by REDIS_CA_FILE$/);
			expect(await refusal(url, { ca: read(other.ca) })).toMatch(/signed by none of the authorities in REDIS_CA_FILE/);
			expect(await refusal(`redis://:${SECRET}@127.0.0.1:${port}`)).toMatch(/needs rediss instead of redis in REDIS_URL$/);
		});

		it('is refused where it speaks none, where its certificate is for another name, or where it demands one of its clients', async () => {
			const plain = await servers.startRedis();
			expect(await refusal(`rediss://127.0.0.1:${plain.port}`)).toMatch(/it does not answer, or does not speak TLS at this port: look at/);
			const { port } = await servers.startRedis([...lines(), 'bind 127.0.0.1 127.0.0.2'], { tls: { ca: read(own.ca) } });
			expect(await refusal(`rediss://127.0.0.2:${port}`, { ca: read(own.ca) })).toMatch(
				/its certificate is for another name: .*127\.0\.0\.2/,
			);
			const strict = await servers.startRedis(lines(['tls-auth-clients yes']), {
				tls: { ca: read(own.ca), cert: read(own.cert), key: read(own.key) },
			});
			expect(await refusal(`rediss://127.0.0.1:${strict.port}`, { ca: read(own.ca) })).toMatch(
				/it closed the connection: expected .* "tls-auth-clients no" there/,
			);
		});

		it('is found through sentinels that speak TLS too', async () => {
			const tls = { ca: read(own.ca) };
			const master = await servers.startRedis(lines(), { tls });
			const both = [...lines(), 'tls-replication yes'];
			const sentinel = await servers.startSentinel({ name: 'wards', port: master.port }, both, { tls });
			const url = `rediss+sentinel://127.0.0.1:${sentinel.port}/wards`;
			expect(await admitRedis(optionsOf(url, { ca: tls.ca }))).toBeNull();
			expect(await refusal(url)).toMatch(/no sentinel can be asked .* authority that is not known here/);
		});
	});

	describe('by sentinels', () => {
		it('is the master of the name, with logins of its own for Redis and for sentinels', async () => {
			const master = await servers.startRedis([`requirepass ${SECRET}`], { password: SECRET });
			const login = { password: `${SECRET}-too` };
			const sentinel = await servers.startSentinel(
				{ name: 'wards', port: master.port, password: SECRET },
				[`requirepass ${login.password}`],
				login,
			);
			const gone = await freePort();
			const at = `127.0.0.1:${gone},127.0.0.1:${sentinel.port}`;
			const url = `redis+sentinel://:${SECRET}@${at}/wards/3`;
			const beside = { sentinelPassword: login.password };
			expect(await admitRedis(optionsOf(url, beside))).toBeNull();
			expect(await on({ options: optionsOf(url, beside) }, (redis) => redis.client('INFO'))).toMatch(/ db=3 /);
			expect(await refusal(`redis+sentinel://:${SECRET}@${at}/beds`, beside)).toBe(
				`The Redis at the master "beds" of 127.0.0.1:${gone}, 127.0.0.1:${sentinel.port} cannot be used: the sentinel at 127.0.0.1:${sentinel.port} knows no master of this name; those that it knows: "wards"`,
			);
			const unnamed = `redis+sentinel://:${SECRET}@127.0.0.1:${sentinel.port}/wards`;
			expect(await refusal(unnamed)).toMatch(
				/demands a password, and none was given: look at REDIS_SENTINEL_USERNAME and REDIS_SENTINEL_PASSWORD$/,
			);
			const wrong = await refusal(unnamed, { sentinelPassword: `${SECRET}-not` });
			expect(wrong).toMatch(/it refuses the password: look at REDIS_SENTINEL/);
			expect(wrong).not.toContain(SECRET);
			expect(await refusal(`redis+sentinel://:${SECRET}-not@127.0.0.1:${sentinel.port}/wards`, beside)).toMatch(
				/it refuses the password: look at REDIS_URL$/,
			);
		});

		it('is away, and no command waits for it without limit, while no sentinel answers', async () => {
			const options = optionsOf(`redis+sentinel://127.0.0.1:${await freePort()}/wards`);
			const redis = connect(options, { maxRetriesPerRequest: 1, retryStrategy: () => 1 });
			redis.on('error', () => {});
			expect(isRedisAway(await redis.get('key').catch((error: unknown) => error))).toBe(true);
			redis.disconnect();
		});

		it('is followed by an open connection when its master is killed', async () => {
			const { master, replica, sentinel, url } = await startWatched(servers);
			const redis = connect(optionsOf(url), { maxRetriesPerRequest: null });
			redis.on('error', () => {});
			await redis.set('before', '1');
			await redis.wait(1, 0);
			await master.kill('SIGKILL');
			await redis.set('after', '2');
			expect(await on(replica, (now) => now.mget('before', 'after'))).toEqual(['1', '2']);
			await namesAnother(sentinel, master.port);
			redis.disconnect();
		});

		it('is followed by an open connection when a replica takes the place of its master in order', async () => {
			const { master, replica, sentinel, url } = await startWatched(servers);
			const redis = connect(optionsOf(url), { maxRetriesPerRequest: null });
			redis.on('error', () => {});
			await redis.set('before', '1');
			await redis.wait(1, 0);
			// A sentinel that has not heard from the replica for a moment finds none to promote.
			await until(() =>
				on(sentinel, (asked) => asked.call('SENTINEL', 'FAILOVER', 'mymaster')).then(
					() => true,
					() => false,
				),
			);
			await namesAnother(sentinel, master.port);
			await isReplica(master);
			await redis.set('after', '2');
			expect(await on(replica, (now) => now.mget('before', 'after'))).toEqual(['1', '2']);
			redis.disconnect();
		});
	});
});
