import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isFree, productionDependencies } from '../bin/licences.js';

describe('the licences of what the program depends on', () => {
	it('are free, of every package that is installed for it, and these are found', () => {
		const found = productionDependencies();
		const names = found.map(({ name }) => name);
		for (const one of ['fastify', 'bullmq', 'ioredis', 'onnxruntime-node', 'onnxruntime-common', 'pino']) expect(names).toContain(one);
		for (const tool of ['vitest', 'typescript', '@biomejs/biome']) expect(names).not.toContain(tool);
		expect(found.filter(({ licence }) => !isFree(licence))).toEqual([]);
	});

	it.each([
		['MIT', true],
		['(MIT OR GPL-3.0-only)', true],
		['GPL-3.0-only OR Apache-2.0', true],
		['(Apache-2.0 AND BSD-3-Clause)', true],
		['MIT AND GPL-3.0-only', false],
		['GPL-3.0-or-later', false],
		['MIT AND (GPL-2.0-only OR GPL-3.0-only)', false],
		['SEE LICENSE IN LICENSE', false],
		['UNLICENSED', false],
		['none named', false],
		['', false],
	])('such as "%s" are free: %s', (licence, free) => {
		expect(isFree(licence)).toBe(free);
	});
});

describe('in a workspace', () => {
	let root: string;
	const write = async (folder: string, manifest: object) => {
		await mkdir(join(root, folder), { recursive: true });
		await writeFile(join(root, folder, 'package.json'), JSON.stringify(manifest));
	};
	beforeAll(async () => {
		root = await mkdtemp(join(tmpdir(), 'steelyard-licences-'));
		await write('packages/own', { name: 'own', version: '1.0.0', dependencies: { near: '1' }, optionalDependencies: { absent: '1' } });
		await write('kept/node_modules/near', { name: 'near', version: '1.0.0', license: 'MIT', dependencies: { far: '2' } });
		await write('kept/node_modules/far', { name: 'far', version: '2.0.0', license: { type: 'GPL-3.0-only' }, dependencies: { near: '1' } });
		await mkdir(join(root, 'packages/own/node_modules'));
		await symlink(join(root, 'kept/node_modules/near'), join(root, 'packages/own/node_modules/near'));
	});
	afterAll(() => rm(root, { recursive: true }));

	it('packages are found that another brings along, each once', () => {
		expect(productionDependencies(root)).toEqual([
			{ name: 'far', version: '2.0.0', licence: 'GPL-3.0-only' },
			{ name: 'near', version: '1.0.0', licence: 'MIT' },
		]);
	});

	it('one that is not installed is no licence that was seen', async () => {
		await write('packages/other', { name: 'other', version: '1.0.0', dependencies: { gone: '1' } });
		expect(() => productionDependencies(root)).toThrow('gone, which other needs, is not installed');
	});
});
