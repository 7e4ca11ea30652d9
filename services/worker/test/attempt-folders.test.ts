import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobResource } from '@steelyard/contracts';
import { jobKeys, type LocalStore, openStore } from '@steelyard/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clearAttempts } from '../src/attempt-folders.js';

const ID = 'job_01h0000000000000000000000x';

describe('what is left of the attempts of a job that has ended', () => {
	let folder: string;
	let store: LocalStore;
	beforeEach(async () => {
		folder = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
		store = await openStore(folder);
	});
	afterEach(() => rm(folder, { recursive: true }));

	const put = async (attempt: number, ...names: string[]): Promise<void> => {
		for (const name of names) await store.put(`${jobKeys.attempt(ID, attempt)}/${name}`, 'x');
	};
	/** What is left after a job ended so in its second attempt, by attempt and name. */
	const left = async (status: JobResource['status'], code?: string): Promise<string[]> => {
		await clearAttempts(store, { id: ID, status, attempt: 2, error: code === undefined ? null : { code } } as JobResource);
		return (await store.list(jobKeys.attempts(ID))).map((key) => key.slice(jobKeys.attempts(ID).length + 1)).sort();
	};

	it('is the newest checkpoint of one that was cancelled, which may be resumed', async () => {
		await put(1, 'checkpoints/0.safetensors', 'checkpoints/1.safetensors');
		await put(2, 'checkpoints/9.safetensors', 'checkpoints/10.safetensors', 'log.txt');
		expect(await left('cancelled')).toEqual(['2/checkpoints/10.safetensors']);
	});

	it('is that of an earlier attempt where the last one has none', async () => {
		await put(1, 'checkpoints/0.safetensors', 'checkpoints/1.safetensors');
		await put(2, 'log.txt');
		expect(await left('failed', 'time_limit')).toEqual(['1/checkpoints/1.safetensors']);
	});

	it('is, of one that chooses its weighting, what is known of each candidate', async () => {
		const candidate = (preset: string, name: string): string => `checkpoints/candidates/${preset}/${name}`;
		const own = (preset: string, name: string): string => candidate(preset, `checkpoints/${name}`);
		await put(1, candidate('uniform', 'judged.json'), candidate('uniform', 'training-state.safetensors'), own('uniform', '4.safetensors'));
		await put(1, own('consensus', '2.safetensors'));
		await put(2, own('consensus', '3.safetensors'), own('consensus', '2.safetensors'));
		expect(await left('cancelled')).toEqual([
			`1/${candidate('uniform', 'checkpoints/4.safetensors')}`,
			`1/${candidate('uniform', 'judged.json')}`,
			`2/${own('consensus', '3.safetensors')}`,
		]);
	});

	it('is nothing of one that failed, and no checkpoint of one that succeeded', async () => {
		await put(1, 'checkpoints/0.safetensors');
		await put(2, 'model.onnx', 'checkpoints/candidates/uniform/judged.json');
		expect(await left('succeeded')).toEqual(['2/model.onnx']);
		expect(await left('failed', 'diverged')).toEqual([]);
	});
});
