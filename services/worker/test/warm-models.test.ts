import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWarmModels } from '../src/warm-models.js';
import { fixture } from './service.js';

let folder: string;
const files: string[] = [];
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'steelyard-warm-'));
	for (let i = 0; i < 40; i++) {
		files.push(join(folder, `${i}.onnx`));
		await copyFile(fixture('linear.onnx'), files[i] as string);
	}
});
afterAll(() => rm(folder, { recursive: true }));
const file = (i: number): string => files[i] as string;

it('a model that was used stays ready', async () => {
	const models = createWarmModels();
	const model = await models.get(file(0), Number.POSITIVE_INFINITY);
	await models.get(file(1), Number.POSITIVE_INFINITY);
	expect(await models.get(file(0), Number.POSITIVE_INFINITY)).toBe(model);
});

it('where memory is short, only the one at hand does', async () => {
	const models = createWarmModels();
	const model = await models.get(file(0), 1);
	expect(await models.get(file(0), 1)).toBe(model);
	await models.get(file(1), 1);
	expect(await models.get(file(0), 1)).not.toBe(model);
});

it('of many, the one that was used longest ago goes first', async () => {
	const models = createWarmModels();
	const get = (i: number) => models.get(file(i), Number.POSITIVE_INFINITY);
	const [a, b] = [await get(0), await get(1)];
	for (let i = 2; i < 32; i++) await get(i);
	expect(await get(0)).toBe(a);
	await get(39);
	expect(await get(0)).toBe(a);
	expect(await get(1)).not.toBe(b);
});
