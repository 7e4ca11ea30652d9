import { expect, it } from 'vitest';
import { createExclusive } from '../src/resources/exclusive.js';

it('runs actions of one key in turn, those of another beside them, and goes on after a failure', async () => {
	const exclusive = createExclusive();
	const log: string[] = [];
	let open = () => {};
	const gate = new Promise<void>((resolve) => {
		open = resolve;
	});
	const first = exclusive('a', async () => {
		log.push('a1 begins');
		await gate;
		log.push('a1 ends');
		throw new Error('a1 fails');
	});
	const second = exclusive('a', async () => void log.push('a2'));
	await exclusive('b', async () => void log.push('b'));
	open();
	await expect(first).rejects.toThrow('a1 fails');
	await second;
	expect(log).toEqual(['a1 begins', 'b', 'a1 ends', 'a2']);
});
