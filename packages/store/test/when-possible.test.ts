import { type JobError, ProblemError } from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { isFull, whenPossible } from '../src/index.js';

const full = () => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });

/** Something that finds no room so many times. */
function writing(failures: number) {
	let tries = 0;
	return async () => {
		if (tries++ < failures) throw full();
		return tries;
	};
}

describe('writing where there is no room', () => {
	it('waits until there is, and says so once at each end', async () => {
		const said: (JobError | null)[] = [];
		expect(await whenPossible(writing(2), { stopped: () => false, waiting: (reason) => said.push(reason) })).toBe(3);
		expect(said).toEqual([expect.objectContaining({ code: 'insufficient_storage' }), null]);
	});

	it('says nothing where there is room, and hands on every other error', async () => {
		const said: (JobError | null)[] = [];
		const options = { stopped: () => false, waiting: (reason: JobError | null) => void said.push(reason) };
		expect(await whenPossible(writing(0), options)).toBe(1);
		await expect(whenPossible(() => Promise.reject(new Error('torn')), options)).rejects.toThrow('torn');
		expect(said).toEqual([]);
	});

	it('gives up when it is to stop', async () => {
		let asked = 0;
		const stopped = () => ++asked > 3;
		await expect(whenPossible(writing(Number.POSITIVE_INFINITY), { stopped, waiting() {} })).rejects.toMatchObject({ code: 'ENOSPC' });
	});

	it('knows the errors of a full disk, of a used up share, and of a store that met them', () => {
		expect([full(), { code: 'EDQUOT' }, new ProblemError('insufficient_storage', 'x')].map(isFull)).toEqual([true, true, true]);
		expect([new Error('x'), null, { code: 'EIO' }].map(isFull)).toEqual([false, false, false]);
	});
});
