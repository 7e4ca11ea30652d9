import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { listSupportedBackends } from 'onnxruntime-node';
import { type Adapter, adapterIn } from './adapter.js';
import { wordsOf } from './errors.js';
import { createSession, type Provider } from './session.js';
import { tensor } from './tensor.js';

/** Whether a provider runs a small graph here. Where it does not, `note` says so in plain words, and `detail` has the provider's own, which name what it could not load. */
export type Availability = { available: boolean; note: string | null; detail: string | null };

/** What each provider can do here. */
export type Devices = { cpu: { available: true }; cuda: Availability; webgpu: Availability & Adapter };

// y = Conv(x, w), opset 18: the bytes of a ModelProto, so that this package needs no encoder. A convolution takes cuDNN, which the provider opens only when it needs it.
const convolution = Uint8Array.from(
	Buffer.from(
		'CAgSCXN0ZWVseWFyZDp1ChkKAXgKAXcSAXkaBkNvbnZfMCIEQ29udjoAEgFnWhsKAXgSFgoUCAESEAoCCAEKAggBCgIIBAoCCARaGwoBdxIWChQIARIQCgIIAQoCCAEKAggDCgIIA2IbCgF5EhYKFAgBEhAKAggBCgIIAQoCCAIKAggCQgQKABAS',
		'base64',
	),
);

/** Whether the system shows an NVIDIA GPU to this process. Known on Linux, where its driver makes a device of it; elsewhere none is assumed. */
function gpuIsThere(): boolean {
	if (process.platform !== 'linux') return false;
	return existsSync('/dev/dxg') || readdirSync('/dev').some((name) => /^nvidia\d+$/.test(name));
}

/** Tries CUDA in this process, by a graph that takes cuDNN too. */
async function probeCuda(): Promise<Availability> {
	try {
		const session = await createSession(convolution, { provider: 'cuda', logSeverity: 4 });
		await session.run({
			x: tensor('float32', [1, 1, 4, 4], new Float32Array(16)),
			w: tensor('float32', [1, 1, 3, 3], new Float32Array(9)),
		});
		await session.release();
		return { available: true, note: null, detail: null };
	} catch (error) {
		const detail = wordsOf(error);
		return { available: false, note: noteOf(detail), detail };
	}
}

/** Why CUDA does not run, in plain words. */
function noteOf(detail: string): string {
	if (/cudnn/i.test(detail)) return 'the GPU cannot be used: cuDNN 9 (libcudnn.so.9) is not installed here, or does not work';
	return gpuIsThere() ? 'the GPU cannot be used: CUDA or its provider is not installed here, or does not work' : 'no GPU found';
}

/** The loader of Vulkan, by which WebGPU reaches a GPU on Linux. */
const VULKAN = 'libvulkan.so.1';

/** Why the loader of Vulkan cannot be loaded; null where it can. Only the attempt tells; what Node loads so and knows not as a module it gives back at once. */
function vulkanIsMissing(): string | null {
	try {
		process.dlopen({ exports: {} }, VULKAN, constants.dlopen.RTLD_LAZY);
		return null;
	} catch (error) {
		const words = (error as Error).message;
		return /did not self-register/.test(words) ? null : words;
	}
}

/** The compiled file, by a path that holds from `src` as well as from `dist`. */
const PROBE = fileURLToPath(new URL('../dist/webgpu-probe.js', import.meta.url));
/** How long a probe may take, in milliseconds. */
const LONGEST_PROBE = 60_000;

/** Tries WebGPU in a process of its own, where there is anything to try. */
function probeWebgpu(): Promise<Devices['webgpu']> {
	const absent = (note: string, detail: string): Devices['webgpu'] => ({ available: false, note, detail, name: null, isSoftware: null });
	if (!listSupportedBackends().some(({ name }) => name === 'webgpu'))
		return Promise.resolve(
			absent('WebGPU is not in ONNX Runtime here', `its package for ${process.platform} on ${process.arch} has no WebGPU`),
		);
	const missing = process.platform === 'linux' ? vulkanIsMissing() : null;
	if (missing !== null) return Promise.resolve(absent('no Vulkan found', missing));
	return new Promise((resolve) => {
		const env = { ...process.env, VK_LOADER_DEBUG: 'driver,layer' };
		const options = { env, timeout: LONGEST_PROBE, killSignal: 'SIGKILL', maxBuffer: 2 ** 24 } as const;
		execFile(process.execPath, [PROBE], options, (error, stdout, stderr) => {
			if (error !== null) return resolve(absent('WebGPU does not work: its probe crashed', wordsOf(error).split('\n')[0] as string));
			const wrong = JSON.parse(stdout) as string | null;
			if (wrong !== null) return resolve(absent('no GPU for WebGPU found', wrong));
			resolve({ available: true, note: null, detail: null, ...adapterIn(stderr) });
		});
	});
}

/** Tries every provider by running a small graph: CUDA in this process, WebGPU in one of its own. Takes some tenths of a second; ask once per process. */
export async function probeDevices(): Promise<Devices> {
	const webgpu = probeWebgpu();
	return { cpu: { available: true }, cuda: await probeCuda(), webgpu: await webgpu };
}

/** The provider for a job, null where it has none; why, where that needs a word. `isTried`: it is taken only if it is faster than the CPU. */
export type Choice = { provider: Provider | null; note: string | null; isTried: boolean };

/**
 * The provider for a wish. `auto` takes CUDA where it is available; else WebGPU where its adapter is a GPU for certain, and faster than the CPU; else the CPU with a note in
 * plain words that says why. `cuda` or `webgpu` where it is not available gives null, with a note that has the provider's own words too; `webgpu` takes software
 * as well.
 */
export function chooseProvider(wish: 'auto' | Provider, { cuda, webgpu }: Devices): Choice {
	const chosen = (provider: Provider | null, note: string | null = null): Choice => ({ provider, note, isTried: false });
	if (wish === 'cpu') return chosen('cpu');
	if (wish === 'auto') {
		if (cuda.available) return chosen('cuda');
		if (webgpu.available && webgpu.isSoftware === false) return { provider: 'webgpu', note: null, isTried: true };
		return chosen('cpu', `${cuda.note}, using the CPU`);
	}
	const { available, note, detail } = { cuda, webgpu }[wish];
	return available ? chosen(wish) : chosen(null, `${note} (${detail})`);
}
