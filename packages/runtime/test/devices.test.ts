import { describe, expect, it } from 'vitest';
import { useSwiftShader } from '../../../test/swiftshader.js';
import { adapterIn, chooseProvider, createSession, type Devices, probeDevices } from '../src/index.js';
import { doubling } from './models.js';

const works = { available: true, note: null, detail: null };
const noCuda = { available: false, note: 'no GPU found', detail: 'no such library' };
const noWebgpu = { available: false, note: 'no Vulkan found', detail: 'no such loader', name: null, isSoftware: null };
const cpu = { available: true } as const;
const withCuda: Devices = { cpu, cuda: works, webgpu: { ...works, name: 'a card', isSoftware: false } };
const withCard: Devices = { cpu, cuda: noCuda, webgpu: { ...works, name: 'a card', isSoftware: false } };
const inSoftware: Devices = { cpu, cuda: noCuda, webgpu: { ...works, name: 'SwiftShader', isSoftware: true } };
const unknown: Devices = { cpu, cuda: noCuda, webgpu: { ...works, name: null, isSoftware: null } };
const without: Devices = { cpu, cuda: noCuda, webgpu: noWebgpu };
const onCpu = { provider: 'cpu', note: 'no GPU found, using the CPU', isTried: false } as const;
const taken = { note: null, isTried: false } as const;

describe('the provider for a wish', () => {
	const table = [
		{ wish: 'cpu', there: 'CUDA', devices: withCuda, choice: { provider: 'cpu', ...taken } },
		{ wish: 'cpu', there: 'nothing else', devices: without, choice: { provider: 'cpu', ...taken } },
		{ wish: 'cuda', there: 'CUDA', devices: withCuda, choice: { provider: 'cuda', ...taken } },
		{
			wish: 'cuda',
			there: 'WebGPU',
			devices: withCard,
			choice: { provider: null, note: 'no GPU found (no such library)', isTried: false },
		},
		{ wish: 'webgpu', there: 'a GPU', devices: withCard, choice: { provider: 'webgpu', ...taken } },
		{ wish: 'webgpu', there: 'software', devices: inSoftware, choice: { provider: 'webgpu', ...taken } },
		{
			wish: 'webgpu',
			there: 'nothing else',
			devices: without,
			choice: { provider: null, note: 'no Vulkan found (no such loader)', isTried: false },
		},
		{ wish: 'auto', there: 'CUDA and WebGPU', devices: withCuda, choice: { provider: 'cuda', ...taken } },
		{ wish: 'auto', there: 'a GPU', devices: withCard, choice: { provider: 'webgpu', note: null, isTried: true } },
		{ wish: 'auto', there: 'software', devices: inSoftware, choice: onCpu },
		{ wish: 'auto', there: 'an adapter of which nothing is known', devices: unknown, choice: onCpu },
		{ wish: 'auto', there: 'nothing else', devices: without, choice: onCpu },
	] as const;
	for (const { wish, there, devices, choice } of table)
		it(`${wish} is ${choice.provider} where there is ${there}${choice.isTried ? ', if it is faster' : ''}`, () =>
			expect(chooseProvider(wish, devices)).toEqual(choice));
});

describe('the adapter', () => {
	const used = (name: string, driver: string) => `LAYER | DRIVER: \n   Using "${name}" with driver: "${driver}"\n`;

	it('is what the loader of Vulkan says that it uses', () => {
		expect(adapterIn(used('NVIDIA GeForce RTX 4090', 'libGLX_nvidia.so.0'))).toEqual({
			name: 'NVIDIA GeForce RTX 4090',
			isSoftware: false,
		});
		expect(adapterIn(used('AMD Radeon Graphics (RADV RENOIR)', 'libvulkan_radeon.so'))).toMatchObject({ isSoftware: false });
		for (const name of ['SwiftShader Device (Subzero)', 'llvmpipe (LLVM 15.0.6, 256 bits)'])
			expect(adapterIn(used(name, 'any.so'))).toEqual({ name, isSoftware: true });
		expect(adapterIn(used('a device', '/usr/lib/libvulkan_lvp.so'))).toMatchObject({ isSoftware: true });
	});

	it('is a GPU on macOS, and not known elsewhere, where nothing says which it is', () => {
		expect(adapterIn('', 'darwin')).toEqual({ name: null, isSoftware: false });
		expect(adapterIn('', 'win32')).toEqual({ name: null, isSoftware: null });
		expect(adapterIn('', 'linux')).toEqual({ name: null, isSoftware: null });
	});
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

	it.skipIf(!useSwiftShader())('have WebGPU in software on SwiftShader, by its name', async () => {
		const { webgpu } = await probeDevices();
		expect(webgpu).toEqual({ available: true, note: null, detail: null, name: expect.stringContaining('SwiftShader'), isSoftware: true });
	});
});
