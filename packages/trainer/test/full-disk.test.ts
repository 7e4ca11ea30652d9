import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JobEventBody, parseJobSpec } from '@steelyard/contracts';
import { tensor } from '@steelyard/runtime';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { latestCheckpoint, saveCheckpoint } from '../src/job/checkpoint.js';
import { train } from '../src/job/train.js';
import type * as wholeFile from '../src/job/whole-file.js';
import { smallDataset } from './small-dataset.js';
import { weightingBy } from './weighting-by.js';

/** Whether there is no room for a file; asked at every write. */
let isFull: (path: string) => boolean;
vi.mock('../src/job/whole-file.js', async (original) => {
	const { writeWhole } = await original<typeof wholeFile>();
	return {
		async writeWhole(...[path, content]: Parameters<typeof writeWhole>) {
			if (isFull(path)) throw Object.assign(new Error(`ENOSPC: no space left on device, open '${path}'`), { code: 'ENOSPC' });
			return writeWhole(path, content);
		},
	};
});

let dataset: Awaited<ReturnType<typeof smallDataset>>;
let root: string;
beforeAll(async () => {
	dataset = await smallDataset('binary');
	root = await mkdtemp(join(tmpdir(), 'steelyard-full-'));
});
afterAll(async () => {
	await dataset.remove();
	await rm(root, { recursive: true });
});
beforeEach(() => {
	isFull = () => false;
});

const folder = () => mkdtemp(join(root, 'output-'));
async function run(stopped?: (events: JobEventBody[]) => boolean) {
	const output = await folder();
	const spec = parseJobSpec({
		dataset: 'ds_1',
		device: 'cpu',
		model: { hidden: 8 },
		weighting: weightingBy('btw', 2),
		training: { epochs: 3, batch_size: 16, optimizer: { learning_rate: 0.01 } },
	});
	const events: JobEventBody[] = [];
	const emit = (event: JobEventBody) => void events.push(event);
	const outcome = await train({ spec, dataset: dataset.folder, output, emit, stopped: () => stopped?.(events) ?? false });
	return { outcome, output, waits: events.flatMap((event) => (event.type === 'waiting' ? [event.reason] : [])) };
}

describe('a job on a full disk', () => {
	it('waits with a checkpoint or an artifact until there is room, says so without a path, and ends as any other', async () => {
		const undisturbed = await run();
		expect(undisturbed.waits).toEqual([]);
		let failures = 0;
		isFull = (path) => (/checkpoints.1\.safetensors|report\.json/.test(path) ? ++failures % 3 !== 0 : false);
		const { outcome, output, waits } = await run();
		expect(outcome.status).toBe('done');
		const reason = expect.objectContaining({ code: 'insufficient_storage', message: expect.not.stringContaining(root) });
		expect(waits).toEqual([reason, null, reason, null]);
		const model = (of: { output: string }) => readFile(join(of.output, 'model.onnx'));
		expect(await model({ output })).toEqual(await model(undisturbed));
	});

	it('stops while it waits', async () => {
		isFull = (path) => path.includes('checkpoints');
		const { outcome, waits } = await run((events) => events.some(({ type }) => type === 'waiting'));
		expect(outcome.status).toBe('stopped');
		expect(waits).toHaveLength(1);
	});

	it('gives up its older checkpoint for a new one', async () => {
		const output = await folder();
		const save = (epoch: number) => saveCheckpoint(output, { header: { epoch }, tensors: new Map([['p', tensor('float32', [1], [1])]]) });
		const files = async () => (await readdir(join(output, 'checkpoints'))).sort();
		await save(0);
		await save(1);
		let tries = 0;
		isFull = () => ++tries === 1;
		await save(2);
		expect(await files()).toEqual(['1.safetensors', '2.safetensors']);
		isFull = () => true;
		await expect(save(3)).rejects.toMatchObject({ code: 'ENOSPC' });
		expect(await files()).toEqual(['2.safetensors']);
		expect((await latestCheckpoint<{ epoch: number }>([output]))?.header.epoch).toBe(2);
	});

	it('leaves no half of a file', async () => {
		const { writeWhole } = await vi.importActual<typeof wholeFile>('../src/job/whole-file.js');
		const output = await folder();
		const torn = [new Uint8Array(3), null as unknown as Uint8Array];
		await writeFile(join(output, 'whole'), 'before');
		await expect(writeWhole(join(output, 'whole'), torn)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
		expect(await readdir(output)).toEqual(['whole']);
		expect(await readFile(join(output, 'whole'), 'utf8')).toBe('before');
	});
});
