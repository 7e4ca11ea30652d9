import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, open, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeModel } from '@steelyard/onnx';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readModelFile } from '../src/index.js';

/** Models whose weight lies in another file. Made by test/oracles/external_data.py. */
const models = JSON.parse(readFileSync(new URL('fixtures/external-data.json', import.meta.url), 'utf8')) as Record<string, string>;
const WEIGHT = Float32Array.of(1.5, -2, 0.25, 4);

let root = '';
let folder = '';
beforeEach(async () => {
	root = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
	folder = join(root, 'models');
	await mkdir(join(folder, 'weights'), { recursive: true });
	await writeFile(join(root, 'outside.bin'), new Uint8Array(WEIGHT.buffer));
});
afterEach(() => rm(root, { recursive: true }));

async function read(name: string): Promise<Uint8Array> {
	const path = join(folder, 'net.onnx');
	await writeFile(path, Buffer.from(models[name] as string, 'base64'));
	return readModelFile(path);
}
const weightOf = (bytes: Uint8Array) => decodeModel(bytes).graph.initializers.get('w')!.data;

describe('a model that keeps data in another file is read', () => {
	it('with the file beside it', async () => {
		await writeFile(join(folder, 'net.onnx.data'), new Uint8Array(WEIGHT.buffer));
		expect(weightOf(await read('beside'))).toEqual(WEIGHT);
	});

	it('where the file has more bytes than one array may hold', async () => {
		const file = await open(join(folder, 'weights/all.bin'), 'w'); // of which the system stores what is written
		await file.write(new Uint8Array(WEIGHT.buffer), 0, 16, 2_500_000_000);
		await file.close();
		expect(weightOf(await read('far'))).toEqual(WEIGHT);
	});
});

describe('it is refused', () => {
	it('where the file is not there, is too short, or lies outside the folder', async () => {
		await expect(read('beside')).rejects.toThrow(/"net\.onnx\.data", which does not lie beside it/);
		await writeFile(join(folder, 'net.onnx.data'), new Uint8Array(WEIGHT.buffer));
		await expect(read('long')).rejects.toThrow(/has 16 bytes, expected at least 24/);
		await expect(read('outside')).rejects.toThrow(/"\.\.\/outside\.bin", outside its folder/);
		await expect(read('absolute')).rejects.toThrow(/hostname/);
		await rm(join(folder, 'net.onnx.data'));
		await symlink(join(root, 'outside.bin'), join(folder, 'net.onnx.data'));
		await expect(read('beside')).rejects.toThrow(/outside its folder/);
	});
});
