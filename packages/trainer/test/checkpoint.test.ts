import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tensor } from '@steelyard/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { latestCheckpoint, saveCheckpoint } from '../src/job/checkpoint.js';

let output: string;
beforeEach(async () => {
	output = await mkdtemp(join(tmpdir(), 'steelyard-checkpoint-'));
});
afterEach(() => rm(output, { recursive: true }));

const save = (epoch: number, to = output) =>
	saveCheckpoint(to, { header: { epoch }, tensors: new Map([['p', tensor('float32', [2], [epoch, -epoch])]]) });
const latest = () => latestCheckpoint<{ epoch: number }>([output]);
const files = () => readdir(join(output, 'checkpoints'));

describe('checkpoints', () => {
	it('are none where none was saved', async () => {
		expect(await latestCheckpoint([output, join(output, 'absent')])).toBeNull();
	});

	it('come back with header and tensors', async () => {
		const header = { stage: 'fusion', epoch: 3, best: 0.1 + 0.2, note: 'ü', nested: { list: [1, null] } };
		const tensors = new Map([
			['p', tensor('float32', [1, 3], [1.5, -0, 1e-45])],
			['weights', tensor('float64', [2], [1 / 3, 2 / 3])],
		]);
		await saveCheckpoint(output, { header, tensors });
		expect(await latestCheckpoint([output])).toEqual({ header, tensors });
	});

	it('are kept two: the last ones, beyond ten as well, and no unfinished file stays', async () => {
		for (let epoch = 0; epoch < 12; epoch++) {
			await save(epoch);
			expect((await files()).length).toBe(Math.min(2, epoch + 1));
			expect((await latest())?.header.epoch).toBe(epoch);
		}
		expect((await files()).sort()).toEqual(['10.safetensors', '11.safetensors']);
	});

	it('are written over an unfinished file that a killed attempt left', async () => {
		await save(1);
		await writeFile(join(output, 'checkpoints', '1.safetensors.part'), 'half of a checkp');
		expect((await latest())?.header.epoch).toBe(1);
		await save(2);
		expect((await files()).filter((name) => name.endsWith('.part'))).toEqual([]);
		expect((await latest())?.header.epoch).toBe(2);
	});

	const damages: Record<string, (bytes: Buffer) => Buffer> = {
		'is empty': () => Buffer.alloc(0),
		'is cut in its header': (bytes) => bytes.subarray(0, 20),
		'is cut in its data': (bytes) => bytes.subarray(0, bytes.length - 1),
		'is all zeros': (bytes) => Buffer.alloc(bytes.length),
		'is something else': () => Buffer.from('this is no checkpoint at all, but text'),
		'has a header of the wrong kind': () => {
			const header = Buffer.from('{"p":{"shape":[1]}}');
			const length = Buffer.alloc(8);
			length.writeBigUInt64LE(BigInt(header.length));
			return Buffer.concat([length, header]);
		},
		'has no header of ours': () => {
			const header = Buffer.from('{}');
			const length = Buffer.alloc(8);
			length.writeBigUInt64LE(BigInt(header.length));
			return Buffer.concat([length, header]);
		},
	};
	for (const [what, damage] of Object.entries(damages))
		it(`give the one before where the newest ${what}`, async () => {
			await save(1);
			await save(2);
			const path = join(output, 'checkpoints', '1.safetensors');
			await writeFile(path, damage(await readFile(path)));
			expect((await latest())?.header.epoch).toBe(1);
		});

	it('are none where every one is damaged', async () => {
		await save(1);
		await writeFile(join(output, 'checkpoints', '0.safetensors'), 'x');
		expect(await latest()).toBeNull();
	});

	it('of a newer attempt go before those of an older one, and its lack of any is passed over', async () => {
		const [first, second, third] = [1, 2, 3].map((attempt) => join(output, `${attempt}`)) as [string, string, string];
		await save(10, first);
		await save(20, first);
		await save(15, second);
		await mkdir(third);
		expect((await latestCheckpoint<{ epoch: number }>([third, second, first]))?.header.epoch).toBe(15);
		expect((await latestCheckpoint<{ epoch: number }>([third, first]))?.header.epoch).toBe(20);
	});

	it('are not looked for among other files', async () => {
		await save(1);
		await writeFile(join(output, 'checkpoints', '99.safetensors.bak'), 'x');
		await writeFile(join(output, 'checkpoints', 'best.safetensors'), 'x');
		expect((await latest())?.header.epoch).toBe(1);
	});

	it('surface a folder that cannot be read', async () => {
		await writeFile(join(output, 'checkpoints'), 'a file where the folder should be');
		await expect(latest()).rejects.toThrow(/ENOTDIR/);
	});
});
