import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { InvalidKeyError, listDamaged, readRecord, type Store } from '../src/index.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

async function textOf(stream: Readable): Promise<string> {
	let text = '';
	for await (const chunk of stream) text += String(chunk);
	return text;
}

/** What every store must do, whatever it keeps its bytes in. `rounds`: how often what happens at the same time is tried. */
export function storeSuite(name: string, open: () => Promise<Store>, { rounds = 30 } = {}): void {
	describe(`a store in ${name}`, () => {
		let store: Store;
		beforeEach(async () => {
			store = await open();
		});

		it('gives back what was put, with its size and hash, and replaces it', async () => {
			expect(await store.put('a/b.txt', 'first')).toEqual({ bytes: 5, sha256: sha256('first') });
			expect(await store.put('a/b.txt', new TextEncoder().encode('second'))).toEqual({ bytes: 6, sha256: sha256('second') });
			expect((await store.get('a/b.txt'))?.toString()).toBe('second');
			expect(await store.digest('a/b.txt')).toEqual({ bytes: 6, sha256: sha256('second') });
			expect(await store.stat('a/b.txt')).toMatchObject({ bytes: 6 });
			expect((await store.stat('a/b.txt'))?.modified).toBeInstanceOf(Date);
		});

		it('takes a stream', async () => {
			expect(await store.put('s', Readable.from(['one ', Buffer.from('two')]))).toEqual({ bytes: 7, sha256: sha256('one two') });
			expect((await store.get('s'))?.toString()).toBe('one two');
		});

		it('keeps what was there when a stream breaks off', async () => {
			await store.put('s', 'whole');
			const broken = new Readable({ read() {} });
			broken.push('half');
			setImmediate(() => broken.destroy(new Error('gone')));
			await expect(store.put('s', broken)).rejects.toThrow('gone');
			expect((await store.get('s'))?.toString()).toBe('whole');
			expect(await store.list('')).toEqual(['s']);
		});

		it('lets one of many make a key that must be free', async () => {
			const made = await Promise.all(Array.from({ length: 10 }, (_, at) => store.putExclusive('jobs/one/result.json', String(at))));
			const first = made.findIndex((digest) => digest !== null);
			expect(made.filter((digest) => digest !== null)).toEqual([{ bytes: 1, sha256: sha256(String(first)) }]);
			expect((await store.get('jobs/one/result.json'))?.toString()).toBe(String(first));
			expect(await store.list('')).toEqual(['jobs/one/result.json']);
		});

		it('moves an object to another key', async () => {
			await store.put('a/b', 'moved');
			await store.put('c/d', 'replaced');
			await store.move('a/b', 'c/d');
			await store.move('none', 'c/d');
			expect(await store.list('')).toEqual(['c/d']);
			expect((await store.get('c/d'))?.toString()).toBe('moved');
		});

		it('gives records, and sets those aside that are no JSON objects', async () => {
			await store.put('a/record.json', '{"id": 1}');
			expect(await readRecord(store, 'a/record.json')).toEqual({ id: 1 });
			for (const torn of ['', '{"id": ', '\0\0\0', '7', 'null']) {
				await store.put('b/record.json', torn);
				expect(await readRecord(store, 'b/record.json')).toBeNull();
				expect(await store.get('b/record.json')).toBeNull();
				expect((await store.get('b/record.json.damaged'))?.toString()).toBe(torn);
			}
			expect(await listDamaged(store)).toEqual(['b/record.json.damaged']);
		});

		it('says of what is absent that it is', async () => {
			await store.put('a/b', '1');
			for (const key of ['none', 'a', 'a/b/c']) {
				expect(await store.get(key)).toBeNull();
				expect(await store.stat(key)).toBeNull();
				expect(await store.digest(key)).toBeNull();
				await expect(store.read(key)).rejects.toMatchObject({ code: 'not_found' });
			}
			expect(await store.list('none')).toEqual([]);
			await store.remove('none');
		});

		it('reads ranges, both ends included', async () => {
			await store.put('digits', '0123456789');
			expect(await textOf(await store.read('digits'))).toBe('0123456789');
			expect(await textOf(await store.read('digits', { start: 2, end: 4 }))).toBe('234');
			expect(await textOf(await store.read('digits', { start: 8 }))).toBe('89');
			expect(await textOf(await store.read('digits', { end: 0 }))).toBe('0');
		});

		it('reads on what was replaced or removed meanwhile', async () => {
			await store.put('x', 'before');
			const reading = await store.read('x');
			await store.put('x', 'after');
			await store.remove('x');
			expect(await textOf(reading)).toBe('before');
		});

		it('removes a folder into which somebody writes at the same time', async () => {
			for (let round = 0; round < rounds; round++) {
				// A write whose folder is gone meanwhile may fail, also before the removal has ended.
				const writes = Promise.allSettled(Array.from({ length: 20 }, (_, i) => store.put(`models/m/attempts/${round}-${i}.json`, 'null')));
				await store.remove('models/m');
				await writes;
			}
			await store.remove('models/m');
			expect(await store.list('models/m')).toEqual([]);
		});

		it('lists what is below a prefix in order, and removes it', async () => {
			for (const key of ['jobs/b/2', 'jobs/b/1', 'jobs/a/x/y', 'jobs/c', 'jobsites/z']) await store.put(key, '');
			expect(await store.list('jobs')).toEqual(['jobs/a/x/y', 'jobs/b/1', 'jobs/b/2', 'jobs/c']);
			expect(await store.list('jobs', { deep: false })).toEqual(['jobs/a/', 'jobs/b/', 'jobs/c']);
			await store.remove('jobs/b');
			await store.remove('jobs/c');
			expect(await store.list('')).toEqual(['jobs/a/x/y', 'jobsites/z']);
		});

		it.each(['', '/', 'a//b', '../x', 'a/../b', '.', 'a/.hidden', '/etc/passwd', 'a\\b', 'a\u0000b', 'a/', 'x'.repeat(256)])(
			'refuses %j as a key',
			async (key) => {
				await expect(async () => store.put(key, '')).rejects.toThrow(InvalidKeyError);
				await expect(async () => store.putExclusive(key, '')).rejects.toThrow(InvalidKeyError);
				await expect(async () => store.get(key)).rejects.toThrow(InvalidKeyError);
				await expect(async () => store.read(key)).rejects.toThrow(InvalidKeyError);
				await expect(async () => store.remove(key)).rejects.toThrow(InvalidKeyError);
			},
		);

		it('knows the size of everything below a prefix, and of what is not whole yet', async () => {
			await store.put('x/y/z.txt', 'four');
			expect((await store.entries('x')).map(({ key, bytes }) => [key, key.endsWith('/') ? 0 : bytes]).sort()).toEqual([
				['x/y/', 0],
				['x/y/z.txt', 4],
			]);
			expect(await store.entries('nothing')).toEqual([]);
			expect(await store.temporary()).toEqual([]);
		});
	});
}
