import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openS3Store, type S3Store, s3AddressOf } from '../src/index.js';
import { type Fault, type FaultyProxy, startFaultyProxy } from './faulty-proxy.js';
import { CREDENTIALS, freePorts, type S3Server, s3Servers, useEnvironment } from './s3-servers.js';

/** Few attempts and short waits, since the faults of these tests do not pass by waiting. */
const OPTIONS = { attempts: 3, connectMs: 2000, idleMs: 500, partBytes: 5 << 20 };

/** A fault for the first `count` of the requests of a method. */
const first = (count: number, method: string, fault: Fault) => {
	let met = 0;
	return (request: { method?: string | undefined }) => (request.method === method && met++ < count ? fault : null);
};

const server = s3Servers.find(({ name }) => name === 'moto');
describe.skipIf(server?.absent !== false)('a store on S3 that meets faults', () => {
	let moto: S3Server;
	let proxy: FaultyProxy;
	let store: S3Store;
	let restore: () => void;
	const addressOf = (prefix: string, endpoint = proxy.endpoint) => s3AddressOf(`s3://${moto.bucket}/${prefix}?endpoint=${endpoint}`);

	beforeAll(async () => {
		restore = useEnvironment(CREDENTIALS);
		moto = (await server?.start()) as S3Server;
		proxy = await startFaultyProxy(moto.endpoint);
		store = await openS3Store(addressOf('faults'), OPTIONS);
	});
	afterEach(async () => {
		proxy.fault = () => null;
		await store.remove('x');
	});
	afterAll(async () => {
		store?.close();
		await proxy?.close();
		await moto?.close();
		restore?.();
	});

	it('tries again what a server puts off, and says so where it always does', async () => {
		proxy.fault = first(2, 'PUT', { status: 503, code: 'SlowDown' });
		expect(await store.put('x/a', 'one')).toMatchObject({ bytes: 3 });
		proxy.fault = first(99, 'PUT', { status: 503, code: 'SlowDown' });
		await expect(store.put('x/a', 'two')).rejects.toMatchObject({
			code: 'unavailable',
			message: expect.stringMatching(/bucket steelyard-test at http.*slow down.*try again later/),
		});
		expect((await store.get('x/a'))?.toString()).toBe('one');
	});

	it.each([
		[403, 'SignatureDoesNotMatch', 'unavailable', 'credentials are not valid'],
		[400, 'ExpiredToken', 'unavailable', 'credentials are not valid'],
		[403, 'AccessDenied', 'unavailable', 'credentials do not allow this'],
		[403, 'RequestTimeTooSkewed', 'unavailable', 'set the clock'],
		[404, 'NoSuchBucket', 'unavailable', 'There is no bucket steelyard-test'],
		[301, 'PermanentRedirect', 'unavailable', 'another region'],
		[500, 'InternalError', 'unavailable', 'answered with an error (500 InternalError'],
		[400, 'QuotaExceeded', 'insufficient_storage', 'No space is left in the bucket steelyard-test'],
		[507, 'InsufficientStorage', 'insufficient_storage', 'No space is left in the bucket steelyard-test'],
	])('tells %i %s as %s in words, of a call and of the opening', async (status, code, problem, words) => {
		proxy.fault = () => ({ status, code });
		const told = { name: 'ProblemError', code: problem, message: expect.stringContaining(words) };
		const calls = [
			() => store.put('x/a', ''),
			() => store.get('x/a'),
			() => store.list('x'),
			() => store.putExclusive('x/a', ''),
			() => openS3Store(addressOf('y'), OPTIONS),
		];
		for (const call of calls) await expect(call()).rejects.toMatchObject(told);
	});

	it('goes on with a download that breaks off, where it broke off', async () => {
		const whole = randomBytes(300_000);
		await store.put('x/a', whole);
		proxy.fault = first(3, 'GET', { cut: 70_000 });
		expect((await buffer(await store.read('x/a'))).equals(whole)).toBe(true);
		proxy.fault = first(2, 'GET', { cut: 10 });
		expect((await buffer(await store.read('x/a', { start: 5, end: 200_000 }))).equals(whole.subarray(5, 200_001))).toBe(true);
	});

	it('gives up a download that comes no further, and says how far it came', async () => {
		await store.put('x/a', 'whole');
		proxy.fault = first(99, 'GET', { cut: 0 });
		await expect(store.get('x/a')).rejects.toMatchObject({
			code: 'unavailable',
			message: expect.stringMatching(/x\/a .* after 0 of 5 bytes/),
		});
	});

	it('does not put two objects together when one was replaced while its download broke off', async () => {
		await store.put('x/a', 'before');
		const reading = store.read('x/a');
		proxy.fault = first(1, 'GET', { cut: 3 });
		const stream = await reading;
		await store.put('x/a', 'after!');
		await expect(buffer(stream)).rejects.toMatchObject({
			code: 'unavailable',
			message: expect.stringContaining('was replaced or removed'),
		});
	});

	it('refuses a whole object whose bytes are not those that were written', async () => {
		await store.put('x/a', 'right');
		proxy.fault = first(99, 'GET', 'wrong bytes');
		const readings = [() => store.get('x/a'), () => store.digest('x/a'), async () => buffer(await store.read('x/a'))];
		for (const reading of readings)
			await expect(reading()).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('is not what was written') });
	});

	it('ends a request that nobody answers', async () => {
		proxy.fault = () => 'silence';
		await expect(store.get('x/a')).rejects.toMatchObject({
			code: 'unavailable',
			message: expect.stringContaining('did not answer in time'),
		});
	});

	it('knows its own exclusive write again when the answer to it was lost', async () => {
		proxy.fault = first(1, 'PUT', 'lost answer');
		expect(await store.putExclusive('x/result', 'mine')).toMatchObject({ bytes: 4 });
		expect(await store.putExclusive('x/result', 'mine')).toBeNull();
		expect((await store.get('x/result'))?.toString()).toBe('mine');
	});

	it.each([409, 503])('makes an exclusive write again that %i puts off', async (status) => {
		proxy.fault = first(1, 'PUT', { status, code: 'ConditionalRequestConflict' });
		expect(await store.putExclusive('x/result', 'mine')).toMatchObject({ bytes: 4 });
	});

	it('refuses a server that ignores the condition of an exclusive write, or does not know it', async () => {
		proxy.fault = () => ({ without: 'if-none-match' });
		await expect(openS3Store(addressOf('y'), OPTIONS)).rejects.toMatchObject({
			code: 'unavailable',
			message: expect.stringContaining('two workers'),
		});
		proxy.fault = first(1, 'PUT', { status: 501, code: 'NotImplemented' });
		await expect(openS3Store(addressOf('y'), { ...OPTIONS, attempts: 1 })).rejects.toMatchObject({
			message: expect.stringContaining('knows no conditional writes'),
		});
		proxy.fault = () => null;
		expect(await store.list('')).toEqual([]);
	});

	it('cannot be opened where nothing listens, and where there are no credentials', async () => {
		const [port] = await freePorts(1);
		const nowhere = addressOf('y', `http://127.0.0.1:${port}`);
		await expect(openS3Store(nowhere, OPTIONS)).rejects.toMatchObject({
			code: 'unavailable',
			message: expect.stringMatching(`at http://127.0.0.1:${port} cannot be reached: look whether its endpoint is right`),
		});
		const empty = await mkdtemp(join(tmpdir(), 'steelyard-s3-'));
		const back = useEnvironment({
			...{ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_EC2_METADATA_DISABLED: 'true' },
			...{ AWS_CONFIG_FILE: join(empty, 'config'), AWS_SHARED_CREDENTIALS_FILE: join(empty, 'credentials') },
		});
		try {
			await expect(openS3Store(addressOf('y'), OPTIONS)).rejects.toMatchObject({
				message: expect.stringContaining('no credentials for the bucket'),
			});
		} finally {
			back();
			await rm(empty, { recursive: true });
		}
	});

	it('holds a bounded number of the bytes of a stream at a time', async () => {
		let given = 0;
		const source = Readable.from(
			(async function* () {
				for (; given < 60 << 20; given += 1 << 20) yield Buffer.alloc(1 << 20);
			})(),
		);
		let held = 0;
		let most = 0;
		let release = () => {};
		const released = new Promise<void>((resolve) => {
			release = resolve;
		});
		proxy.fault = async ({ method, url }) => {
			if (method !== 'PUT' || !url?.includes('partNumber=')) return null;
			if (++held === 3) {
				// No part is answered; what the source is still asked for now is held in memory.
				for (let turns = 0; turns < 1000; turns++) await turn();
				most = given;
				release();
			}
			await released;
			return null;
		};
		// On a busy machine those turns take longer than the other tests let a connection idle.
		const patient = await openS3Store(addressOf('faults'), { ...OPTIONS, idleMs: 60_000 });
		await patient.put('x/large', source).finally(() => patient.close());
		expect(most).toBeGreaterThanOrEqual(15 << 20);
		expect(most).toBeLessThanOrEqual(30 << 20);
	});

	it('lets go of the connection of a reader that gives up', async () => {
		await store.put('x/a', randomBytes(1 << 22));
		const [unread, begun] = [await store.read('x/a'), await store.read('x/a')];
		for await (const _ of begun) break;
		unread.destroy();
		await proxy.idle();
		expect(begun.destroyed).toBe(true);
	});
});
