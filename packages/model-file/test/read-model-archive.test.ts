import { randomBytes } from 'node:crypto';
import { createWriteStream, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { decodeModel } from '@steelyard/onnx';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { readModelFile } from '../src/index.js';

/** Models whose weight lies in another file. Made by test/oracles/external_data.py. */
const models = JSON.parse(readFileSync(new URL('fixtures/external-data.json', import.meta.url), 'utf8')) as Record<string, string>;
const model = (name: string) => Buffer.from(models[name] as string, 'base64');
const WEIGHT = Float32Array.of(1.5, -2, 0.25, 4);
const DATA = Buffer.from(WEIGHT.buffer);

let folder = '';
/** Not by its name an archive. */
let path = '';
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
	path = join(folder, 'upload');
});
afterEach(() => rm(folder, { recursive: true }));

async function zip(files: Record<string, Buffer>, compress = true): Promise<void> {
	const archive = new ZipFile();
	for (const [name, contents] of Object.entries(files)) archive.addBuffer(contents, name, { compress });
	archive.end();
	await pipeline(archive.outputStream, createWriteStream(path));
}

async function read(files: Record<string, Buffer>, compress?: boolean): Promise<Uint8Array> {
	await zip(files, compress);
	return readModelFile(path);
}
const weightOf = (bytes: Uint8Array) => decodeModel(bytes).graph.initializers.get('w')!.data;

describe('a model in a zip archive is read', () => {
	it.each<[string, Record<string, Buffer>, boolean]>([
		['at the top', { 'net.onnx': model('beside'), 'net.onnx.data': DATA }, true],
		['not compressed', { 'net.onnx': model('beside'), 'net.onnx.data': DATA }, false],
		['in a folder, beside others', { 'a/net.onnx': model('beside'), 'a/net.onnx.data': DATA, 'a/README.md': DATA }, true],
	])('%s', async (_, files, compress) => {
		expect(weightOf(await read(files, compress))).toEqual(WEIGHT);
	});

	it('as it is where it keeps no data elsewhere', async () => {
		const whole = await read({ 'net.onnx': model('beside'), 'net.onnx.data': DATA });
		expect(Buffer.from(await read({ 'net.onnx': Buffer.from(whole) }))).toEqual(Buffer.from(whole));
	});
});

describe('it is refused', () => {
	it.each<[string, Record<string, Buffer>, RegExp]>([
		['without a model', { 'net.data': DATA }, /has 0 files that end in \.onnx, expected one/],
		['with two', { 'a.onnx': model('beside'), 'b.onnx': model('beside') }, /has 2 files that end in \.onnx, expected one/],
		['without its data', { 'net.onnx': model('beside'), 'other.data': DATA }, /"net\.onnx\.data", which is not in the archive/],
		['with data outside', { 'net.onnx': model('outside'), 'outside.bin': DATA }, /"\.\.\/outside\.bin", which is not in the archive/],
		['with data of the machine', { 'net.onnx': model('absolute') }, /"\/etc\/hostname", which is not in the archive/],
		['with too few data', { 'net.onnx': model('long'), 'net.onnx.data': DATA }, /has 16 bytes, expected at least 24/],
		['as a bomb', { 'net.onnx': model('beside'), 'net.onnx.data': Buffer.alloc(20 * 2 ** 20) }, /at most 200 times its own size unpacked/],
	])('%s', async (_, files, message) => {
		await expect(read(files)).rejects.toMatchObject({ name: 'GraphError', message: expect.stringMatching(message) });
	});

	it('where its data are more than one file can hold, before they are unpacked', async () => {
		await zip({ 'net.onnx': model('beside'), 'net.onnx.data': randomBytes(12 * 2 ** 20) });
		const bytes = await readFile(path);
		const record = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 1, 2])); // of the central directory, 24 bytes before the size
		bytes.writeUInt32LE(2_200_000_000, record + 24);
		await writeFile(path, bytes);
		await expect(readModelFile(path)).rejects.toThrow(/2200000\d\d\d bytes, of which one ONNX file can hold 2147483647/);
	});

	it('where it is damaged', async () => {
		await zip({ 'net.onnx': model('beside'), 'net.onnx.data': DATA });
		await writeFile(path, (await readFile(path)).subarray(0, -30));
		await expect(readModelFile(path)).rejects.toThrow(/The archive: expected a readable zip archive/);
	});
});
