import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openS3Store, type S3Store, s3AddressOf } from '../src/index.js';
import { CREDENTIALS, type S3Server, s3Servers, useEnvironment } from './s3-servers.js';
import { storeSuite } from './store-suite.js';

/** The smallest parts that S3 takes, and short lists, so that little data needs several of each. */
const OPTIONS = { partBytes: 5 << 20, pageKeys: 10 };

for (const { name, absent, start } of s3Servers) {
	describe.skipIf(absent)(`on ${name}`, () => {
		let restore: () => void;
		const open: S3Store[] = [];
		let server: S3Server;
		let made = 0;
		beforeAll(async () => {
			restore = useEnvironment(CREDENTIALS);
			server = await start();
		});
		afterAll(async () => {
			await server?.close();
			restore?.();
		});
		afterEach(() => {
			for (const store of open.splice(0)) store.close();
		});

		/** A store below a prefix of its own, or below one that was used before. */
		async function opened(prefix = `stores/${++made}`): Promise<S3Store> {
			const store = await openS3Store(s3AddressOf(`s3://${server.bucket}/${prefix}?endpoint=${server.endpoint}`), OPTIONS);
			open.push(store);
			return store;
		}

		storeSuite(`a bucket of ${name}`, () => opened(), { rounds: 3 });

		it('a bucket that is absent is told by its name', async () => {
			const address = s3AddressOf(`s3://none-such/x?endpoint=${server.endpoint}`);
			await expect(openS3Store(address)).rejects.toMatchObject({
				code: 'unavailable',
				message: expect.stringMatching(/no bucket none-such at http/),
			});
		});

		it.skipIf(name === 'moto')('credentials that are not valid are told', async () => {
			const back = useEnvironment({ AWS_SECRET_ACCESS_KEY: 'another' });
			try {
				await expect(opened()).rejects.toMatchObject({
					code: 'unavailable',
					message: expect.stringContaining('credentials are not valid'),
				});
			} finally {
				back();
			}
		});

		describe('a bucket', () => {
			let store: S3Store;
			beforeEach(async () => {
				store = await opened();
			});

			it('takes a stream of several parts, gives it back, and any part of it', async () => {
				const parts = Array.from({ length: 12 }, () => randomBytes(1 << 20));
				const whole = Buffer.concat(parts);
				const digest = { bytes: whole.byteLength, sha256: createHash('sha256').update(whole).digest('hex') };
				expect(await store.put('large', Readable.from(parts))).toEqual(digest);
				expect(await store.digest('large')).toEqual(digest);
				expect((await store.get('large'))?.equals(whole)).toBe(true);
				const [start, end] = [(5 << 20) - 5, (5 << 20) + 4];
				expect((await bytesOf(await store.read('large', { start, end }))).equals(whole.subarray(start, end + 1))).toBe(true);
				expect(await store.temporary()).toEqual([]);
				await store.move('large', 'moved');
				expect(await store.stat('moved')).toMatchObject({ bytes: whole.byteLength });
			});

			it('keeps nothing of a stream that breaks off after some parts', async () => {
				async function* broken() {
					for (let i = 0; i < 12; i++) yield randomBytes(1 << 20);
					throw new Error('gone');
				}
				await expect(store.put('large', Readable.from(broken()))).rejects.toThrow('gone');
				expect(await store.list('')).toEqual([]);
				expect(await store.temporary()).toEqual([]);
			});

			it('lists, measures and removes more keys than one answer has', async () => {
				const keys = Array.from({ length: 25 }, (_, i) => `many/${String(i).padStart(4, '0')}/x`);
				await Promise.all(keys.map((key) => store.put(key, '1')));
				expect(await store.list('many')).toEqual(keys);
				expect(await store.list('many', { deep: false })).toEqual(keys.map((key) => key.slice(0, -1)));
				expect(await store.entries('many')).toHaveLength(2 * keys.length);
				await store.remove('many');
				expect(await store.list('')).toEqual([]);
			});

			it('does not see what lies beside its prefix, and leaves it alone', async () => {
				const inner = await opened(`stores/${made}/inner`);
				const beside = await opened(`stores/${made}-beside`);
				await inner.put('a', '1');
				await beside.put('a', '2');
				expect(await store.list('')).toEqual(['inner/a']);
				await store.remove('inner');
				expect(await inner.list('')).toEqual([]);
				expect((await beside.get('a'))?.toString()).toBe('2');
			});

			it('keeps keys with signs that URLs and XML have a meaning for', async () => {
				const keys = ['a b+c%20&<d>"é\'?#=.txt', 'ü/~(x)!*$@,;:'].sort();
				for (const key of keys) await store.put(key, key);
				expect(await store.list('')).toEqual(keys);
				for (const key of keys) {
					expect((await store.get(key))?.toString()).toBe(key);
					await store.move(key, `${key}.moved`);
					expect(await store.stat(key)).toBeNull();
				}
				for (const key of keys) await store.remove(`${key}.moved`);
				expect(await store.list('')).toEqual([]);
			});

			it('gives a URL from which anybody downloads a file with a name', async () => {
				await store.put('jobs/x/model.onnx', 'the model');
				const url = await store.presign('jobs/x/model.onnx', { seconds: 60, filename: 'my modèl.onnx' });
				const answer = await fetch(url ?? '');
				expect(await answer.text()).toBe('the model');
				expect(answer.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''my%20mod%C3%A8l.onnx");
				await expect(store.presign('x', { seconds: 0, filename: 'x' })).rejects.toThrow('1 to 604800 seconds');
			});

			it('refuses a key that is too long with its prefix', async () => {
				await expect(async () => store.put(Array(5).fill('x'.repeat(250)).join('/'), '')).rejects.toThrow('at most 1024 bytes');
			});
		});
	});
}

async function bytesOf(stream: Readable): Promise<Buffer> {
	const parts: Buffer[] = [];
	for await (const part of stream) parts.push(part as Buffer);
	return Buffer.concat(parts);
}
