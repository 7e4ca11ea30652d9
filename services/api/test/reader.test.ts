import { fileURLToPath } from 'node:url';
import type { ProblemError } from '@steelyard/contracts';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openReader, type Reader } from '../src/datasets/reader.js';
import { datasetArchive } from './archive.js';
import { expectProblem, openService } from './service.js';

const ENTRY = fileURLToPath(new URL('fixtures/reader.mjs', import.meta.url));
const MEBIBYTE = 1024 ** 2;
const notLinux = process.platform !== 'linux';

let reader: Reader;
afterEach(() => reader.close());
const open = (limits = { ms: 60_000, bytes: 1024 * MEBIBYTE }): void => {
	reader = openReader({ entry: ENTRY, limits });
};

const read = async (name: string) =>
	(await reader.read({ path: '', filename: '', manifest: null, label: null, work: '', target: '', name })).profile as unknown as {
		pid: number;
		env: string[];
	};
const problemOf = async (name: string) => {
	const error = await read(name).catch((reason: unknown) => reason);
	const { code, message, param } = error as ProblemError;
	return { code, message, param };
};
const lives = (pid: number): boolean => {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
};

describe('the process that reads datasets', () => {
	it('reads one after another, knows none of the keys of the service, and ends with the reader', async () => {
		vi.stubEnv('STEELYARD_API_KEY', 'a secret');
		open();
		reader.prepare();
		const [{ pid, env }, second] = await Promise.all([read('pid'), read('pid')]);
		vi.unstubAllEnvs();
		expect(second.pid).toBe(pid);
		expect(env).toContain('PATH');
		expect(env).not.toContain('STEELYARD_API_KEY');
		await reader.close();
		expect(lives(pid)).toBe(false);
		expect(await problemOf('pid')).toMatchObject({ code: 'unavailable' });
	});

	it('says what is wrong with a dataset in its own words, and what the disk says', async () => {
		open();
		const { pid } = await read('pid');
		expect(await problemOf('refuse')).toEqual({ code: 'invalid_dataset', message: 'train_x.npy: expected more', param: 'train_x.npy' });
		expect(await problemOf('fail')).toMatchObject({ code: 'ENOSPC', message: 'ENOSPC: no space left on device, write' });
		expect((await read('pid')).pid).toBe(pid);
	});

	it('is ended over the time that it may take, and the next dataset has its turn', async () => {
		open({ ms: 1500, bytes: 1024 * MEBIBYTE });
		const late = problemOf('hang');
		const next = read('pid');
		expect(await late).toEqual({
			code: 'dataset_too_large',
			message: 'Reading the dataset was ended after 1.5 s, which is the longest that it may take',
			param: 'file',
		});
		expect((await next).pid).toBeGreaterThan(0);
	});

	it.skipIf(notLinux)('is ended over the memory that it may take', async () => {
		open({ ms: 60_000, bytes: 256 * MEBIBYTE });
		const { code, message } = await problemOf('hold');
		expect(code).toBe('dataset_too_large');
		expect(message).toMatch(
			/^Reading the dataset was ended when it had taken (\S+ [MG]iB|all the memory) of the 256 MiB of memory that it may take$/,
		);
	});

	it('is ended where its own heap is full', async () => {
		open({ ms: 60_000, bytes: 150 * MEBIBYTE });
		expect((await problemOf('fill')).code).toBe('dataset_too_large');
	});

	it('may crash: the dataset is refused, and the next is read', async () => {
		open();
		expect(await problemOf('crash')).toEqual({
			code: 'invalid_dataset',
			message: 'The process that read the dataset was ended by SIGSEGV',
			param: 'file',
		});
		await read('pid');
	});

	it.skipIf(notLinux)('is a new one after a dataset that took much memory', async () => {
		open({ ms: 60_000, bytes: 240 * MEBIBYTE });
		const { pid } = await read('grow');
		expect((await read('pid')).pid).not.toBe(pid);
		expect(lives(pid)).toBe(false);
	});
});

describe('an upload whose reading takes more than it may', () => {
	it('is refused with the limit, and leaves nothing', async () => {
		const service = await openService({ reading: { ms: 1, bytes: 1024 * MEBIBYTE } });
		try {
			const response = await service.app.inject({
				method: 'POST',
				url: '/v1/datasets',
				headers: { 'content-type': 'application/zip' },
				payload: await datasetArchive('binary'),
			});
			expect(expectProblem(response, 422, 'dataset_too_large', 'file').detail).toContain('after 0.001 s');
			expect(await service.store.list('uploads', { deep: false })).toEqual([]);
		} finally {
			await service.close();
		}
	});
});
