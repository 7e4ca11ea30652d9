import { ProblemError } from '@steelyard/contracts';
import type { Provider } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { deviceFor, fasterDevice } from '../src/job/device.js';
import type { Job } from '../src/job/job.js';

/** Jobs of which none trains; `resumed` is the provider of the one that has a checkpoint. */
const jobs =
	(resumed: Provider | null = null) =>
	async (provider: Provider): Promise<Job> =>
		({ provider, state: { isResumed: provider === resumed } }) as Job;

/** How long a step takes by the provider of a job; a refusal where it cannot run there. */
const taking =
	(cpu: number, webgpu: number | ProblemError) =>
	async ({ provider }: Job): Promise<number> => {
		const found = provider === 'cpu' ? cpu : webgpu;
		if (found instanceof ProblemError) throw found;
		return found;
	};

describe('the faster device', () => {
	it('is the GPU where its steps are shorter, with what was measured', async () => {
		const { job, note } = await fasterDevice(jobs(), 'a card', taking(12.34, 3.456));
		expect(job.provider).toBe('webgpu');
		expect(note).toBe('using the GPU: 12 ms a step on the CPU, 3.5 on a card (WebGPU)');
	});

	it('is the CPU where they are not', async () => {
		const { job, note } = await fasterDevice(jobs(), null, taking(2, 2));
		expect(job.provider).toBe('cpu');
		expect(note).toBe('using the CPU, which is faster for this model: 2.0 ms a step on the CPU, 2.0 on the GPU (WebGPU)');
	});

	it('is the CPU without a trial of the GPU where a step is over before a GPU has begun', async () => {
		const { job, note } = await fasterDevice(jobs(), 'a card', taking(0.3, new ProblemError('invalid_request', 'was tried')));
		expect(job.provider).toBe('cpu');
		expect(note).toBe('using the CPU, which is faster for so small a model: 0.30 ms a step');
	});

	it('is the CPU where WebGPU lacks a kernel, with the name of the node', async () => {
		const refusal = new ProblemError('device_unavailable', 'WebGPU cannot train this model: it has no kernel of Det (node "d")', 'device');
		const { job, note } = await fasterDevice(jobs(), 'a card', taking(2, refusal));
		expect(job.provider).toBe('cpu');
		expect(note).toBe('WebGPU cannot train this model: it has no kernel of Det (node "d"), using the CPU');
	});

	it('is that on which the job began, where it goes on', async () => {
		const never = taking(0, new ProblemError('invalid_request', 'was tried'));
		expect((await fasterDevice(jobs('webgpu'), 'a card', never)).job.provider).toBe('webgpu');
		const { job, note } = await fasterDevice(jobs('cpu'), 'a card', never);
		expect(job.provider).toBe('cpu');
		expect(note).toBe('the job began on the CPU and goes on there');
	});

	it('fails where a trial fails for another reason', () =>
		expect(fasterDevice(jobs(), null, taking(2, new ProblemError('diverged', 'the loss is NaN')))).rejects.toMatchObject({
			code: 'diverged',
		}));
});

describe('the device of a job', () => {
	it('is the CPU without looking for another where the job wants it', async () => {
		expect(await deviceFor('cpu')).toEqual({ provider: 'cpu', note: null, isTried: false, adapter: null });
	});
});
