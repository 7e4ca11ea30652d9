import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { ProblemError, parseJobSpec } from '@steelyard/contracts';
import type { StoreFiles } from '@steelyard/store';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { smallDataset } from '../../../packages/trainer/test/small-dataset.js';
import { TRAINER_ENTRY } from '../src/trainer-process.js';
import { childrenOf, fixture, lives, openService, type Service } from './service.js';

let service: Service;
beforeEach(async () => {
	service = await openService();
});
afterEach(() => service.close());

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const isTraining = ({ status, stage, step }: { status: string; stage: string | null; step: number | null }) =>
	status === 'running' && stage === 'fusion' && step !== null;

describe('a job that goes well', () => {
	it('succeeds with its result, and its artifacts by size and checksum', async () => {
		await service.work();
		const job = await service.end(await service.post('succeed'));
		expect(job).toMatchObject({ status: 'succeeded', stage: null, progress: 1, attempt: 1, error: null, result: { parameters: 10 } });
		expect(job.artifacts).toEqual([
			{ name: 'model.onnx', bytes: 7, sha256: sha256('a model'), content_type: 'application/octet-stream' },
			{ name: 'metrics.json', bytes: 2, sha256: sha256('{}'), content_type: 'application/json' },
			{ name: 'explanation.parquet', bytes: 4, sha256: sha256('PAR1'), content_type: 'application/vnd.apache.parquet' },
		]);
		expect((await service.store.get(`jobs/${job.id}/attempts/1/model.onnx`))?.toString()).toBe('a model');
	});

	it('shows on its record what the events say while it runs, and the figures of the chosen model once it has succeeded', async () => {
		await service.work();
		const id = await service.post('report and wait');
		expect(await service.when(id, ({ modality_weights }) => modality_weights !== null)).toMatchObject({
			status: 'running',
			device: { provider: 'cpu', note: 'no such library' },
			metrics: { loss: 0.5, accuracy: 0.75 },
			modality_weights: { text: 1.25, audio: 0.75 },
			epoch: 0,
			step: 199,
			rows_per_second: 100,
		});
		await service.queue.jobs.requestCancel(id);
		expect(await service.end(id)).toMatchObject({ metrics: { loss: 0.5 }, modality_weights: { text: 1.25 } });
		expect(await service.end(await service.post('succeed'))).toMatchObject({
			metrics: { loss: 0.25, accuracy: 0.875 },
			modality_weights: { text: 1.5, audio: 0.5 },
			step: 199,
		});
	});

	it('has every event in order, of much progress only a little', async () => {
		await service.work();
		const { id } = await service.end(await service.post('succeed'));
		const events = await service.events(id);
		expect(
			events
				.filter(({ type }) => type !== 'progress')
				.map((event) => (event.type === 'status' ? event.status : event.type === 'stage' ? event.stage : event.type)),
		).toEqual(['queued', 'running', 'preparing', 'device', 'fusion', 'epoch', 'weights', 'exporting', 'succeeded']);
		const steps = events.flatMap((event) => (event.type === 'progress' ? [event.step] : []));
		expect(steps.length).toBeGreaterThan(0);
		expect(steps.length).toBeLessThan(50);
		expect(steps).toEqual(steps.toSorted((a, b) => a - b));
	});

	it('leaves no checkpoints, and nothing of earlier attempts', async () => {
		await service.work();
		const id = await service.post('crash once, then succeed');
		await service.end(id);
		await vi.waitFor(async () =>
			expect(await service.store.list(`jobs/${id}/attempts`)).toEqual([
				`jobs/${id}/attempts/2/explanation.parquet`,
				`jobs/${id}/attempts/2/metrics.json`,
				`jobs/${id}/attempts/2/model.onnx`,
			]),
		);
	});

	it('is named on every line that is logged of it, those of its trainer too', async () => {
		await service.work();
		const { id } = await service.end(await service.post('succeed'));
		const line = service.lines.find(({ msg }) => msg === 'a line of the engine');
		const names = { job: id, attempt: 1, project: 'ward', request: 'request-succeed' };
		expect(line).toMatchObject({ ...names, stream: 'stderr' });
		const lineOf = (said: string) => service.lines.find(({ msg }) => msg === said);
		await vi.waitFor(() => expect(lineOf('the attempt has ended')).toMatchObject(names));
		for (const said of ['the attempt begins', 'the trainer has started']) expect(lineOf(said), said).toMatchObject(names);
	});

	it('has a log of its own, which says how each attempt went and what its trainer wrote, and stays', async () => {
		await service.work();
		const { id } = await service.end(await service.post('crash once, then succeed'));
		const logOf = async (attempt: number) =>
			String(await service.store.get(`jobs/${id}/logs/${attempt}.jsonl`))
				.trimEnd()
				.split('\n')
				.map((line) => JSON.parse(line))
				.map(({ level, source, message }) => `${level} ${source}: ${message}`);
		await vi.waitFor(async () => expect(await service.store.list(`jobs/${id}/attempts/1`)).toEqual([]));
		const [first, second] = [await logOf(1), await logOf(2)];
		expect(first[0]).toMatch(
			/^info worker: attempt 1 begins, by version .*, of a job that request request-crash-once--then-succeed posted$/,
		);
		expect(first).toEqual(expect.arrayContaining(['warn stderr: terminate called', 'warn stderr: out of luck']));
		expect(first.at(-1)).toMatch(/^error worker: the attempt failed \(trainer_crashed\): .*exit code 7/);
		expect(second).toEqual(
			expect.arrayContaining([
				'info worker: the trainer has started, and goes on from what is left of earlier attempts',
				'info worker: trains on cpu: no such library',
				'info worker: stage exporting',
				'warn stderr: a line of the engine',
			]),
		);
		expect(second.at(-1)).toBe('info worker: the attempt succeeded');
	});

	it('shows what its trainer measured of itself, which is summed up over all jobs, with how every attempt ended', async () => {
		await service.work();
		const { measured } = await service.end(await service.post('succeed'));
		expect(measured).toEqual({ peak_memory_bytes: 3e8, step_seconds: 0.25 });
		await service.end(await service.post('crash once, then succeed'));
		await service.end(await service.post('fail'));
		await vi.waitFor(async () =>
			expect(await service.queue.tally.read()).toEqual({
				...{ rows: 222, 'step_seconds:0.3': 8, 'step_seconds:sum': 2e6 },
				...{ 'peak_memory_bytes:500000000': 2, 'peak_memory_bytes:sum': 6e8 },
				...{ 'attempts:succeeded': 2, 'attempts:crashed': 1, 'attempts:failed': 1 },
			}),
		);
	});

	it('waits until there is room for what was trained, and counts an attempt that threw as failed', async () => {
		let looks = 0;
		const { files } = service.store;
		const openAttempt: StoreFiles['openAttempt'] = async (...attempt) => {
			const folder = await files.openAttempt(...attempt);
			const keep: typeof folder.keep = async (name) => {
				if (looks++ === 0) throw new ProblemError('insufficient_storage', 'no room');
				return folder.keep(name);
			};
			return { ...folder, keep };
		};
		await service.work({ store: { ...service.store, files: { ...files, openAttempt } } });
		expect(await service.end(await service.post('succeed'))).toMatchObject({ status: 'succeeded', attempt: 1 });
		expect(looks).toBeGreaterThan(1);
		await service.end(await service.post('name a missing artifact'));
		await vi.waitFor(async () =>
			expect(await service.queue.tally.read()).toEqual(expect.objectContaining({ 'attempts:succeeded': 1, 'attempts:failed': 1 })),
		);
	});

	it('trains in an allocator that keeps its memory, and without TF32', async () => {
		await service.work();
		const { id } = await service.end(await service.post('show the environment'));
		expect(JSON.parse(String(await service.store.get(`jobs/${id}/attempts/1/report.json`)))).toEqual({
			MALLOC_MMAP_THRESHOLD_: '2000000000',
			MALLOC_TRIM_THRESHOLD_: '4000000000',
			GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
			NVIDIA_TF32_OVERRIDE: '0',
		});
	});
});

describe.skipIf(process.platform !== 'linux')('a job with little memory', () => {
	it('fails where it needs more, and says so; a smaller one is trained', async () => {
		const dataset = await smallDataset('binary');
		try {
			await cp(dataset.folder, join(service.home, 'datasets/ds_1'), { recursive: true });
			await service.work({ trainerEntry: TRAINER_ENTRY, jobMemory: 500e6 });
			const spec = { device: 'cpu', training: { epochs: 1 } };
			const large = await service.post('', { ...spec, model: { hidden: 2048 } });
			const small = await service.post('', spec);
			const failed = await service.end(large);
			expect(failed).toMatchObject({ attempt: 2, error: { code: 'out_of_memory', param: 'training.batch_size' } });
			expect(failed.error?.message).toMatch(
				/^The job needs more than the 0\.5 GB of memory that it may take \(STEELYARD_JOB_MEMORY\)\. It was seen to take 0\.\d GB\./,
			);
			expect(failed.short_of_memory?.peak_memory_bytes).toBeGreaterThan(50e6);
			expect((await service.end(small)).status).toBe('succeeded');
		} finally {
			await dataset.remove();
		}
	});
});

describe('a job that runs out of memory', () => {
	const rising = () => {
		let kills = 3;
		return () => kills++;
	};

	it('is tried once more so that it takes less, which its record and its log say, and goes on from its checkpoint', async () => {
		await service.work();
		const job = await service.end(await service.post('run out of memory once'));
		const short = { peak_memory_bytes: 4.5e8, progress: 0 };
		expect(job).toMatchObject({ status: 'succeeded', attempt: 2, short_of_memory: short });
		expect(JSON.parse(String(await service.store.get(`jobs/${job.id}/attempts/2/report.json`)))).toEqual([
			service.store.path(`jobs/${job.id}/attempts/1`),
		]);
		const logOf = async (attempt: number) => String(await service.store.get(`jobs/${job.id}/logs/${attempt}.jsonl`));
		expect(await logOf(1)).toContain('memory ran out, and the job is tried again: its trainer computes values');
		expect(await logOf(2)).toContain('since memory ran out before');
	});

	it('twice fails, with what it needed, what it may take and what to try; a new worker knows of the first time', async () => {
		const first = await service.work({ jobMemory: 6e8 });
		const id = await service.post('run out of memory, wait until stopped, and run out again');
		await service.when(id, (job) => job.attempt === 2 && isTraining(job));
		await first.close();
		expect(JSON.parse(String(await service.store.get(`jobs/${id}/job.json`)))).toMatchObject({ short_of_memory: { progress: 0 } });
		await service.work({ jobMemory: 6e8 });
		const job = await service.end(id);
		expect(job).toMatchObject({ status: 'failed', attempt: 3, error: { code: 'out_of_memory', param: 'training.batch_size' } });
		expect(job.error?.message).toBe(
			'The job needs more than the 0.6 GB of memory that it may take (STEELYARD_JOB_MEMORY). It was seen to take 0.5 GB. A smaller training.batch_size, and fewer or smaller layers, take less.',
		);
	});

	it('fails at once where it is run already so that it takes less', async () => {
		await service.work();
		const job = await service.end(await service.post('run out of memory', { training: { recompute: 'segments' } }));
		expect(job).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'out_of_memory' } });
	});

	it('is told from one that crashes: its heap was full', async () => {
		await service.work();
		const job = await service.end(await service.post('fill the heap'));
		expect(job).toMatchObject({ status: 'failed', attempt: 2, error: { code: 'out_of_memory' } });
		expect(job.error?.message).toContain('more memory than JavaScript gives its trainer');
	});

	it('is told from one that somebody killed: the system counts that it ended a process for its memory', async () => {
		await service.work({ oomKills: rising(), jobMemory: 6e8 });
		expect(await service.end(await service.post('be killed once'))).toMatchObject({ status: 'succeeded', attempt: 2 });
		const twice = await service.end(await service.post('be killed'));
		expect(twice).toMatchObject({ status: 'failed', attempt: 2, error: { code: 'out_of_memory' } });
		expect(twice.error?.message).toBe(
			'Memory ran out, and the system ended the trainer before it had the 0.6 GB of memory that it may take (STEELYARD_JOB_MEMORY). It was seen to take 0.5 GB. A smaller training.batch_size, and fewer or smaller layers, take less.',
		);
	});

	it('is one that somebody killed where the system counts nothing', async () => {
		await service.work({ oomKills: () => 3, retryMs: 1 });
		const job = await service.end(await service.post('be killed'));
		expect(job).toMatchObject({ status: 'failed', attempt: 4, error: { code: 'trainer_crashed' } });
		expect(job.short_of_memory).toBeUndefined();
	});
});

describe('a job of a custom model', () => {
	it('is trained with the file of that model, and any other job with none', async () => {
		await service.work();
		const model = { family: 'custom', model: 'mdl_1', inputs: { text: 'x' }, output: 'y' };
		const shown = async (spec: object) => {
			const { id } = await service.end(await service.post('show the model', spec));
			return JSON.parse(String(await service.store.get(`jobs/${id}/attempts/1/report.json`)));
		};
		expect(await shown({ model })).toBe(service.store.path('models/mdl_1/model.onnx'));
		expect(await shown({})).toBeNull();
	});
});

describe('a job that fails', () => {
	it('fails with the error of its trainer, at once', async () => {
		await service.work();
		const job = await service.end(await service.post('fail'));
		expect(job).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'diverged', param: 'training.optimizer.learning_rate' } });
	});

	it('fails when an artifact that its trainer names is not there', async () => {
		await service.work();
		expect(await service.end(await service.post('name a missing artifact'))).toMatchObject({
			status: 'failed',
			error: { code: 'internal' },
		});
	});

	it('wants a GPU where the probe found none, or a label that the worker lacks: it waits, and others pass it by', async () => {
		await service.work({ labels: ['site=berlin'] });
		const waiting = await Promise.all([
			service.post('succeed', { device: 'cuda' }),
			service.post('succeed', { device: 'webgpu' }),
			service.post('succeed', { requires: { labels: ['site=bonn'] } }),
		]);
		const passing = await service.post('succeed', { requires: { labels: ['site=berlin'], memory_bytes: 1 } });
		expect((await service.end(passing)).status).toBe('succeeded');
		for (const id of waiting) expect(await service.queue.jobs.get(id)).toMatchObject({ status: 'queued', attempt: 0 });
	});
});

describe('a trainer that crashes', () => {
	it('is followed by another that finds its checkpoints', async () => {
		await service.work();
		const job = await service.end(await service.post('crash once'));
		expect(job).toMatchObject({ status: 'succeeded', attempt: 2 });
		expect(JSON.parse(String(await service.store.get(`jobs/${job.id}/attempts/2/report.json`)))).toEqual([
			service.store.path(`jobs/${job.id}/attempts/1`),
		]);
	});

	it('four times fails the job, which says how it went and its last words, and leaves nothing', async () => {
		await service.work({ retryMs: 1 });
		const job = await service.end(await service.post('crash'));
		expect(job).toMatchObject({ status: 'failed', attempt: 4, error: { code: 'trainer_crashed' } });
		expect(job.error?.message).toBe(
			'The job came no further in 4 attempts. The trainer process ended with exit code 7. Its last words: terminate called\nout of luck',
		);
		await vi.waitFor(async () => expect(await service.store.list(`jobs/${job.id}/attempts`)).toEqual([]));
	});
});

describe('a paused job', () => {
	it('has ended its trainer, keeps its checkpoint, and goes on from it', async () => {
		await service.work();
		const id = await service.post('wait until stopped');
		const { step: pid } = await service.when(id, isTraining);
		await service.queue.jobs.requestPause(id);
		await service.when(id, ({ status }) => status === 'paused');
		expect(lives(pid as number)).toBe(false);
		expect(await service.store.stat(`jobs/${id}/attempts/1/checkpoints/0.safetensors`)).not.toBeNull();
		expect((await service.end(await service.post('succeed'))).status).toBe('succeeded');
		await service.queue.jobs.requestResume(id);
		await service.when(id, (job) => job.attempt === 2 && isTraining(job));
		expect(service.lines.findLast(({ msg }) => msg === 'the trainer has started')).toMatchObject({ job: id, resumes: true });
	});
});

describe('a job that takes longer than it may', () => {
	it('is stopped, and fails with the seconds that it took in all its attempts and those that it had', async () => {
		await service.work();
		const id = await service.post('wait until stopped', { max_seconds: 1000 });
		const { step: pid } = await service.when(id, isTraining);
		await service.queue.jobs.requestPause(id);
		const paused = await service.when(id, ({ status }) => status === 'paused');
		expect(lives(pid as number)).toBe(false);
		expect(paused.ran_seconds).toBeGreaterThan(0);
		await service.queue.jobs.update(id, { ran_seconds: 999.9 });
		await service.queue.jobs.requestResume(id);
		const job = await service.end(id);
		expect(job).toMatchObject({ status: 'failed', attempt: 2 });
		expect(job.error?.code).toBe('time_limit');
		expect(job.error?.message).toMatch(/^The job ran for 10\d\d s, and may run for 1000 s$/);
		expect(job.error?.param).toBe('max_seconds');
		expect(job.ran_seconds).toBeGreaterThan(1000);
		await vi.waitFor(async () =>
			expect(await service.store.list(`jobs/${id}/attempts`)).toEqual([
				expect.stringMatching(/^jobs\/\w+\/attempts\/[12]\/checkpoints\/0\.safetensors$/),
			]),
		);
	});

	it('is held to what the worker allows, where that is less', async () => {
		await service.work({ jobSeconds: 0.3, graceMs: 100 });
		const job = await service.end(await service.post('ignore stop', { max_seconds: 1000 }));
		expect(job).toMatchObject({ status: 'failed', error: { code: 'time_limit', param: null } });
		expect(job.error?.message).toContain('may run for 0.3 s');
	});
});

describe('a cancelled job', () => {
	it('keeps its newest checkpoint alone, from which it goes on when it is resumed', async () => {
		await service.work();
		const id = await service.post('wait until stopped');
		for (const attempt of [1, 2]) {
			await service.when(id, (job) => job.attempt === attempt && isTraining(job));
			await service.queue.jobs.requestPause(id);
			await service.when(id, ({ status }) => status === 'paused');
			await service.store.put(`jobs/${id}/attempts/${attempt}/checkpoints/1.safetensors.part`, 'half');
			if (attempt === 1) await service.queue.jobs.requestResume(id);
		}
		await service.queue.jobs.requestCancel(id);
		await service.work();
		await vi.waitFor(
			async () => expect(await service.store.list(`jobs/${id}/attempts`)).toEqual([`jobs/${id}/attempts/2/checkpoints/0.safetensors`]),
			{ timeout: 10_000 },
		);
		await service.queue.jobs.requestResume(id);
		await service.when(id, (job) => job.attempt === 3 && isTraining(job));
		expect(service.lines.findLast(({ msg }) => msg === 'the trainer has started')).toMatchObject({ job: id, resumes: true });
	});

	it('is stopped, and its worker goes on to the next', async () => {
		await service.work();
		const id = await service.post('wait until stopped');
		const { step: pid } = await service.when(id, isTraining);
		const next = await service.post('succeed');
		await service.queue.jobs.requestCancel(id);
		expect(await service.end(id)).toMatchObject({ status: 'cancelled', attempt: 1 });
		expect(lives(pid as number)).toBe(false);
		expect((await service.end(next)).status).toBe('succeeded');
	});

	it('is ended by force when its trainer does not listen', async () => {
		await service.work({ graceMs: 100 });
		const id = await service.post('ignore stop');
		const { step: pid } = await service.when(id, isTraining);
		await service.queue.jobs.requestCancel(id);
		expect(await service.end(id)).toMatchObject({ status: 'cancelled', attempt: 1 });
		expect(lives(pid as number)).toBe(false);
	});
});

describe('a worker', () => {
	it.skipIf(process.platform !== 'linux')(
		'has the trainer of the next job ready when one evaluates, and ends both when it closes',
		async () => {
			const worker = await service.work();
			const first = await service.post('wait until stopped');
			await service.when(first, isTraining);
			expect(await childrenOf('trainer.mjs')).toHaveLength(1);
			await service.queue.jobs.requestCancel(first);
			const second = await service.post('evaluate until stopped');
			const { step: pid } = await service.when(second, ({ stage, step }) => stage === 'evaluating' && step !== null);
			const others = async () => (await childrenOf('trainer.mjs')).filter((other) => other !== pid);
			const [ready] = await vi.waitFor(async () => {
				const found = await others();
				expect(found).toHaveLength(1);
				return found;
			});
			await service.queue.jobs.requestCancel(second);
			const third = await service.post('wait until stopped');
			expect((await service.when(third, isTraining)).step).toBe(ready);
			await worker.close();
			expect(await childrenOf('trainer.mjs')).toEqual([]);
		},
	);

	it('that closes hands its job back after a checkpoint, for another to go on', async () => {
		const first = await service.work();
		const id = await service.post('wait until stopped');
		const { step: pid } = await service.when(id, isTraining);
		await first.close();
		expect(await service.get(id)).toMatchObject({ status: 'queued', attempt: 1 });
		expect(lives(pid as number)).toBe(false);
		expect(await service.store.stat(`jobs/${id}/attempts/1/checkpoints/0.safetensors`)).not.toBeNull();
		expect(await service.queue.workers.list()).toEqual([]);

		await service.work();
		await service.when(id, (job) => job.attempt === 2 && isTraining(job));
		expect(service.lines.findLast(({ msg }) => msg === 'the trainer has started')).toMatchObject({ job: id, attempt: 2, resumes: true });
	});

	it.skipIf(process.platform !== 'linux')('has a trainer ready before its job comes, and leaves none when it closes', async () => {
		const worker = await service.work();
		const [ready] = await vi.waitFor(async () => {
			const found = await childrenOf('trainer.mjs');
			expect(found).toHaveLength(1);
			return found;
		});
		const id = await service.post('wait until stopped');
		expect(await service.when(id, isTraining)).toMatchObject({ step: ready });
		await service.queue.jobs.requestCancel(id);
		await service.end(id);
		await worker.close();
		expect(await childrenOf('trainer.mjs')).toEqual([]);
	});

	it('says what devices it found and what it works on', async () => {
		const worker = await service.work();
		const id = await service.post('wait until stopped');
		await service.when(id, isTraining);
		expect(await service.queue.workers.list()).toEqual([
			{
				...worker.status,
				pid: process.pid,
				devices: {
					cpu: { available: true },
					cuda: { available: false, note: 'no GPU found (libcuda.so.1: cannot open shared object file)' },
					webgpu: {
						available: false,
						adapter: null,
						software: null,
						note: 'no Vulkan found (libvulkan.so.1: cannot open shared object file)',
					},
				},
				free_slots: 0,
				memory_used_bytes: expect.any(Number),
				jobs: [id],
			},
		]);
	});

	it('logs in plain words that it uses the CPU, and what the CUDA provider says in a debug line alone', async () => {
		await service.work();
		const of = (level: number) => service.lines.filter((line) => line['level'] === level).map((line) => JSON.stringify(line));
		expect(of(30).filter((line) => line.includes('no GPU found, using the CPU'))).toHaveLength(1);
		expect(of(30).join()).not.toContain('libcuda');
		expect(of(20).filter((line) => line.includes('libcuda.so.1: cannot open shared object file'))).toHaveLength(1);
	});

	it('has neither CUDA nor WebGPU when the probe of them crashes, and says so', async () => {
		const worker = await service.work({ probeEntry: fixture('broken-probe.mjs') });
		expect(worker.status.devices.cuda).toEqual({
			available: false,
			note: expect.stringMatching(/^the probe of the GPU ended with SIGABRT \(.*driver on fire.*\)$/),
		});
		expect(worker.status.devices.webgpu).toMatchObject({ available: false, note: worker.status.devices.cuda.note });
	});

	it('that is killed takes its trainer with it, and its job is given to another', async () => {
		const child: ChildProcess = fork(fixture('worker.mjs'), {
			env: { ...process.env, STEELYARD_HOME: service.home, STEELYARD_REDIS: JSON.stringify(service.redis.options) },
		});
		try {
			await once(child, 'message');
			const id = await service.post('wait until stopped');
			const { step: pid } = await service.when(id, isTraining);
			child.kill('SIGKILL');
			await once(child, 'exit');
			await vi.waitFor(() => expect(lives(pid as number)).toBe(false), { timeout: 10_000 });
			await service.queue.jobs.rebuild({ alone: true });
			await service.work();
			expect(await service.when(id, (job) => job.attempt === 2)).toMatchObject({ status: 'running' });
		} finally {
			child.kill('SIGKILL');
		}
	});

	it.skipIf(process.platform !== 'linux')('that is killed takes a trainer with it that hears nothing', async () => {
		// A pipe that nobody writes to: the trainer that reads it is blocked for ever.
		execFileSync('mkfifo', [join(service.home, 'profile.json')]);
		const order = { spec: parseJobSpec({ dataset: 'ds_1', device: 'cpu' }), dataset: service.home, output: service.home };
		const child = fork(fixture('blocked.mjs'), [JSON.stringify(order)]);
		const pid = await new Promise<number>((resolve) => {
			child.on('message', (message: { pid: number; event: { type: string } }) => {
				if (message.event.type === 'device') resolve(message.pid);
			});
		});
		expect(lives(pid)).toBe(true);
		child.kill('SIGKILL');
		await once(child, 'exit');
		try {
			await vi.waitFor(() => expect(lives(pid)).toBe(false), { timeout: 10_000 });
		} finally {
			if (lives(pid)) process.kill(pid, 'SIGKILL');
		}
	});
});
