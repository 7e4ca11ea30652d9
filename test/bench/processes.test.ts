import { expect, test } from 'vitest';
import { stepping } from './processes.js';

const script = (code: string): ReturnType<typeof stepping> => stepping(process.execPath, ['-e', code]);

async function running(code: string) {
	const process = await script(code);
	if (process.step === undefined) throw new Error(process.absent);
	return process;
}

test('a process answers every line with its numbers', async () => {
	const process = await running("console.log('ready'); process.stdin.on('data', () => console.log('1.5 200 0.7 nan'))");
	expect(process.first).toBe('ready');
	expect(await process.step()).toMatchObject({ milliseconds: 1.5, peakMiB: 200, losses: [0.7, Number.NaN] });
	process.stop();
});

test('a process that does not start is absent with what it complained about', async () => {
	expect(await script("throw new Error('no such module')")).toEqual({ absent: expect.any(String) });
	expect(await script("console.error('ImportError: no torch'); process.exit(1)")).toEqual({ absent: 'ImportError: no torch' });
	expect(await stepping('/no/such/program', [])).toEqual({ absent: expect.stringContaining('ENOENT') });
});

test('a step fails where the process ends or says something else, and gives no numbers', async () => {
	const ending = await running(
		"console.log('ready'); process.stdin.on('data', () => { console.error('out of memory'); process.exit(3); })",
	);
	await expect(ending.step()).rejects.toThrow('out of memory');
	const talking = await running("console.log('ready'); process.stdin.on('data', () => console.log('a warning'))");
	await expect(talking.step()).rejects.toThrow('it answered "a warning", expected numbers');
	talking.stop();
});
