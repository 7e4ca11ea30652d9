import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { modelKeys } from '@steelyard/store';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ZipFile } from 'yazl';
import { INSPECT_ENTRY } from '../src/inspect-process.js';
import { childrenOf, fixture, lives, openService, type Service } from './service.js';

const MEBIBYTE = 1024 ** 2;
const notLinux = process.platform !== 'linux';

let service: Service;
beforeEach(async () => {
	service = await openService();
});
afterEach(() => service.close());

/** The verdict on a model that the stand-in takes for its orders. */
const judged = async (act: string) => service.verdict(await service.upload(act));

describe('a model', () => {
	it('is ready with its report where nothing stands against it', async () => {
		await service.work();
		expect(await judged('pass')).toMatchObject({ status: 'ready', report: { opset: 18, blockers: [] }, error: null });
	});

	it('that cannot be trained is refused with its report, in the words of the first blocker', async () => {
		await service.work();
		expect(await judged('block')).toMatchObject({
			status: 'refused',
			report: { operators: { Relu: 1 }, blockers: [{ where: 'pool1' }, { where: 'nz' }] },
			error: { code: 'invalid_model', message: 'MaxUnpool has no gradient', param: 'pool1' },
		});
	});

	it('that is no graph is refused with the place', async () => {
		await service.work();
		expect(await judged('refuse')).toEqual({
			status: 'refused',
			report: null,
			error: { code: 'invalid_model', message: 'the graph has a cycle', param: 'node_3' },
		});
	});

	it('is inspected while a job trains', async () => {
		await service.work();
		const id = await service.post('wait until stopped');
		await service.when(id, ({ stage }) => stage === 'fusion');
		expect(await judged('pass')).toMatchObject({ status: 'ready' });
		expect((await service.get(id)).status).toBe('running');
	});

	it('is not to blame for what the disk does: it is inspected again, three times in all', async () => {
		await service.work();
		expect((await judged('fail')).error?.message).toBe('The model could not be inspected in 3 attempts: EIO: i/o error');
	});

	it('is read by a process that has none of the keys of the service', async () => {
		vi.stubEnv('STEELYARD_API_KEY', 'a secret');
		vi.stubEnv('REDIS_URL', 'redis://:secret@localhost');
		vi.stubEnv('STEELYARD_REDIS', '{}');
		await service.work();
		const names = (await judged('env')).error?.message.split(' ');
		vi.unstubAllEnvs();
		expect(names).toContain('PATH');
		expect(names?.filter((name) => /API_KEY|REDIS/.test(name))).toEqual([]);
	});
});

describe('a model that its inspector does not survive is refused', () => {
	it('with the exit code and the last words', async () => {
		await service.work();
		expect(await judged('crash')).toEqual({
			status: 'refused',
			report: null,
			error: {
				code: 'invalid_model',
				message:
					"The process that inspected the model ended with exit code 134. Its last words: terminate called after throwing an instance of 'std::logic_error'",
				param: null,
			},
		});
	});

	it('and what it has written meanwhile is gone', async () => {
		await service.work();
		const { message = '' } = (await judged('litter')).error ?? {};
		expect(message).toContain('Its last words: …/uploads/inspection-mdl_');
		expect(message).not.toContain(service.home);
		expect(await service.store.list('uploads', { deep: false })).toEqual([]);
	});

	it('with the signal', async () => {
		await service.work();
		expect((await judged('die')).error?.message).toBe('The process that inspected the model was ended by SIGSEGV.');
	});

	it('with the time that it may take, and the next has its turn', async () => {
		await service.work({ inspection: { ms: 1500, bytes: 4096 * MEBIBYTE } });
		const hanging = service.upload('hang');
		const next = service.upload('pass');
		expect((await service.verdict(await hanging)).error?.message).toBe(
			'The inspection of the model was ended after 1.5 s, which is the longest that it may take',
		);
		expect(await service.verdict(await next)).toMatchObject({ status: 'ready' });
	});

	it.skipIf(notLinux)('with the memory that it may take and had taken', async () => {
		await service.work({ inspection: { ms: 60_000, bytes: 256 * MEBIBYTE } });
		expect((await judged('hold')).error?.message).toMatch(
			/ended when it had taken (\S+ [MG]iB|all the memory) of the 256 MiB of memory that it may take$/,
		);
	});

	it('with the memory that it may take where its own heap is full', async () => {
		// So much that the heap, which has half of it, is full before the process meets the limit of the system, where it may die without a word.
		await service.work({ inspection: { ms: 60_000, bytes: 400 * MEBIBYTE } });
		expect((await judged('fill')).error?.message).toMatch(/ended when it had taken .* of the 400 MiB of memory that it may take$/);
	});
});

describe('a worker', () => {
	it.skipIf(notLinux)('that closes ends the inspection at hand, for another to begin anew', async () => {
		const worker = await service.work();
		const id = await service.upload('hang');
		await vi.waitFor(async () => expect(await childrenOf('inspector.mjs')).toHaveLength(1), { timeout: 10_000 });
		await worker.close();
		expect(await childrenOf('inspector.mjs')).toEqual([]);
		expect(await service.queue.inspections.verdict(id)).toBeNull();
		expect(await service.store.list(`models/${id}/attempts`)).toEqual([]);
		await service.store.put(`models/${id}/model.onnx`, 'pass');
		await service.work();
		expect(await service.verdict(id)).toMatchObject({ status: 'ready' });
	});

	it.skipIf(notLinux)('that is killed takes a waiting inspector with it, and its model is given to another', async () => {
		const child: ChildProcess = fork(fixture('worker.mjs'), {
			env: { ...process.env, STEELYARD_HOME: service.home, STEELYARD_REDIS: JSON.stringify(service.redis.options) },
		});
		try {
			await once(child, 'message');
			const id = await service.upload('wait');
			const [pid] = await vi.waitFor(
				async () => {
					const found = await childrenOf('inspector.mjs', child.pid);
					expect(found).toHaveLength(1);
					return found;
				},
				{ timeout: 10_000 },
			);
			child.kill('SIGKILL');
			await once(child, 'exit');
			await vi.waitFor(() => expect(lives(pid as number)).toBe(false), { timeout: 10_000 });
			await service.store.put(`models/${id}/model.onnx`, 'pass');
			await service.queue.inspections.rebuild({ alone: true });
			await service.work();
			expect(await service.verdict(id)).toMatchObject({ status: 'ready' });
		} finally {
			child.kill('SIGKILL');
		}
	});
});

describe('the inspector itself', () => {
	const linear = readFileSync(fixture('linear.onnx'));
	const work = () => service.work({ inspectEntry: INSPECT_ENTRY });

	it('reports a model that can be trained', async () => {
		await work();
		expect(await service.verdict(await service.upload(linear))).toMatchObject({
			status: 'ready',
			report: {
				opset: 18,
				inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 4] }],
				outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 2] }],
				operators: { Gemm: 1, Relu: 1 },
				blockers: [],
			},
		});
	});

	it('puts the model of an archive in its place, as one file', async () => {
		const archive = new ZipFile();
		archive.addBuffer(linear, 'net/linear.onnx');
		archive.end();
		await work();
		const id = await service.upload(await buffer(archive.outputStream));
		expect(await service.verdict(id)).toMatchObject({ status: 'ready', report: { operators: { Gemm: 1, Relu: 1 } } });
		expect(await service.store.get(modelKeys.graph(id))).toEqual(linear);
		expect(await service.store.list('uploads', { deep: false })).toEqual([]);
	});

	it('refuses what is no model, and whatever is left of one, in words of the model', async () => {
		await work();
		const broken = [Buffer.from('this is no model at all'), linear.subarray(0, linear.length >> 1), linear.subarray(0, linear.length - 1)];
		for (const bytes of broken) {
			const { status, report, error } = await service.verdict(await service.upload(bytes));
			expect({ status, report, code: error?.code }).toEqual({ status: 'refused', report: null, code: 'invalid_model' });
			expect(error?.message.length).toBeGreaterThan(10);
			expect(error?.message).not.toMatch(/\/work\/|node_modules|\n\s+at |is not a function|undefined/);
		}
	});

	it('comes to a verdict on any bytes, and the worker lives', async () => {
		await work();
		const change = fc.tuple(fc.nat({ max: linear.length - 1 }), fc.nat({ max: 255 }));
		const property = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
			const bytes = Buffer.from(linear);
			for (const [at, value] of changes) bytes[at] = value;
			const { status, error } = await service.verdict(await service.upload(bytes));
			expect({ status, code: error?.code ?? null }).toEqual({ status, code: status === 'ready' ? null : 'invalid_model' });
		});
		// A process of its own for each: more of them are where inspection itself is tested.
		await fc.assert(property, { numRuns: 8 });
	});

	it.skipIf(notLinux)('is gone soon after its worker, also while it hears nothing', async () => {
		const parent = fork(fixture('spinning.mjs'));
		const [pid] = (await once(parent, 'message')) as [number];
		expect(lives(pid)).toBe(true);
		parent.kill('SIGKILL');
		await once(parent, 'exit');
		await vi.waitFor(() => expect(lives(pid)).toBe(false), { timeout: 10_000 });
	});
});
