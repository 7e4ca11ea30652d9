import { existsSync, readFileSync } from 'node:fs';
import type { Predictions } from '@steelyard/contracts';
import { jobKeys } from '@steelyard/store';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PREDICT_ENTRY } from '../src/predict-process.js';
import type { WorkerOptions } from '../src/worker.js';
import { childrenOf, fixture, openService, type Service } from './service.js';

const MEBIBYTE = 1024 ** 2;

let service: Service;
beforeEach(async () => {
	service = await openService();
});
afterEach(() => service.close());

const JOB = 'job_01';
/** What a worker answers to a body. */
const ask = async (body: string, job = JOB): Promise<string> =>
	(await service.queue.predictions.ask({ job, attempt: 3, type: 'json', body: Buffer.from(body) })).toString();
const pidIn = (answer: string): string => answer.split(' ').at(-1) as string;

describe('the process that predicts', () => {
	const work = (options: Partial<WorkerOptions> = {}) => service.work({ predictEntry: fixture('predictor.mjs'), ...options });

	it('gets the path of the model that an attempt has made, and stays for the next order', async () => {
		await work();
		const first = await ask('pass');
		expect(first).toMatch(/^job_01 jobs\/job_01\/attempts\/3\/model\.onnx json \d+$/);
		expect(pidIn(await ask('pass', 'job_02'))).toBe(pidIn(first));
	});

	it('answers one order after the other', async () => {
		await work();
		const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => ask('pass', `job_${i}`)));
		expect(answers.map((text) => text.split(' ')[0])).toEqual(answers.map((_, i) => `job_${i}`));
		expect(new Set(answers.map(pidIn)).size).toBe(1);
	});

	it('is told of no key of the service', async () => {
		vi.stubEnv('STEELYARD_API_KEY', 'a secret');
		vi.stubEnv('REDIS_URL', 'redis://:secret@localhost');
		await work();
		const names = (await ask('env')).split(' ');
		vi.unstubAllEnvs();
		expect(names).toContain('PATH');
		expect(names.filter((name) => /API_KEY|REDIS/.test(name))).toEqual([]);
	});

	it('refuses in its own words, and is the same afterwards', async () => {
		await work();
		const before = pidIn(await ask('pass'));
		await expect(ask('refuse')).rejects.toMatchObject({ code: 'invalid_request', message: 'rows.0: no', param: 'rows.0' });
		expect(pidIn(await ask('pass'))).toBe(before);
	});

	it.each([
		['dies', 'die', 'prediction_failed', 'The process that ran the model was ended by SIGSEGV'],
		[
			'takes too long',
			'hang',
			'prediction_too_large',
			'The prediction was ended after 1 s, which is the longest that it may take: send fewer rows at a time',
		],
		[
			'takes too much memory',
			'hold',
			'prediction_too_large',
			'The prediction would take more than 256 MiB of memory: send fewer rows at a time',
		],
	])('that %s is replaced, and the others are predicted', async (_, act, code, message) => {
		await work({ prediction: { ms: act === 'hang' ? 1000 : 60_000, bytes: 256 * MEBIBYTE } });
		const failing = ask(act);
		const next = ask('pass');
		await expect(failing).rejects.toMatchObject({ code, message });
		expect(await next).toMatch(/^job_01 /);
	});

	it('ends with its worker, which refuses what waits', async () => {
		const worker = await work();
		const pid = Number(pidIn(await ask('pass')));
		expect(await childrenOf('predictor.mjs')).toEqual([pid]);
		await worker.close();
		expect(await childrenOf('predictor.mjs')).toEqual([]);
		await expect(ask('pass')).rejects.toMatchObject({ code: 'unavailable' });
	});
});

describe.skipIf(!existsSync(PREDICT_ENTRY))('a trained model', () => {
	/** Puts a model where an attempt of a job has made it. */
	const make = (job: string, bytes: Uint8Array) => service.store.put(jobKeys.artifact(job, 3, 'model.onnx'), bytes);

	it('is run over rows by the engine, as often as it is asked', async () => {
		await service.work();
		await make(JOB, readFileSync(fixture('linear.onnx')));
		const rows = JSON.stringify({ rows: [{ x: [1, 0, 0, 0] }, { x: [0, 0, 0, 1] }] });
		const first: Predictions = JSON.parse(await ask(rows));
		expect(first).toMatchObject({
			object: 'predictions',
			job: JOB,
			data: [{ outputs: { y: [expect.closeTo(0.0614, 4), 0] } }, { outputs: { y: [expect.closeTo(0.3773, 4), 0] } }],
		});
		expect(JSON.parse(await ask(rows))).toEqual(first);
		await expect(ask('{"rows":[{"x":[1]}]}')).rejects.toMatchObject({ code: 'invalid_request', param: 'rows.0.x' });
	});

	it('that is no model, or is gone, is to blame and not the rows', async () => {
		await service.work();
		await make(JOB, Buffer.from('no model'));
		await expect(ask('{"rows":[{"x":[1]}]}')).rejects.toMatchObject({ code: 'prediction_failed' });
		await expect(ask('{"rows":[{"x":[1]}]}', 'job_02')).rejects.toMatchObject({
			code: 'prediction_failed',
			message: expect.not.stringContaining(service.home),
		});
	});
});
