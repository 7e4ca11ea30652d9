import { describe, expect, it } from 'vitest';
import { chooseProvider, createSession, type Devices, probeDevices } from '../src/index.js';
import { doubling } from './models.js';

const withCuda: Devices = { cpu: { available: true }, cuda: { available: true, note: null, detail: null } };
const without: Devices = { cpu: { available: true }, cuda: { available: false, note: 'no GPU found', detail: 'no such library' } };

describe('the provider for a wish', () => {
	const table = [
		{ wish: 'cpu', devices: withCuda, provider: 'cpu', note: null },
		{ wish: 'cpu', devices: without, provider: 'cpu', note: null },
		{ wish: 'cuda', devices: withCuda, provider: 'cuda', note: null },
		{ wish: 'cuda', devices: without, provider: null, note: 'no GPU found (no such library)' },
		{ wish: 'auto', devices: withCuda, provider: 'cuda', note: null },
		{ wish: 'auto', devices: without, provider: 'cpu', note: 'no GPU found, using the CPU' },
	] as const;
	for (const { wish, devices, provider, note } of table)
		it(`${wish} is ${provider} where CUDA is ${devices.cuda.available ? '' : 'not '}available${note === null ? '' : ', with the reason'}`, () =>
			expect(chooseProvider(wish, devices)).toEqual({ provider, note }));
});

describe('devices', () => {
	it('are probed any number of times with one answer, and a reason where CUDA is not available', async () => {
		const first = await probeDevices();
		expect(first.cpu).toEqual({ available: true });
		if (first.cuda.available) expect(first.cuda).toEqual({ available: true, note: null, detail: null });
		else
			expect(first.cuda).toEqual({
				available: false,
				note: expect.stringMatching(/^(no GPU found|the GPU cannot)/),
				detail: expect.stringMatching(/\S/),
			});
		const second = await probeDevices();
		expect(second.cuda.available).toBe(first.cuda.available);
		// a session on the CPU still loads after a failed probe
		await (await createSession(doubling)).release();
	});

	it('refuse a session on CUDA, as device_unavailable, exactly where the probe says that it is not available', async () => {
		const { cuda } = await probeDevices();
		const session = createSession(doubling, { provider: 'cuda' });
		if (cuda.available) await (await session).release();
		else await expect(session).rejects.toMatchObject({ name: 'RuntimeError', code: 'device_unavailable', message: cuda.detail });
	});
});
