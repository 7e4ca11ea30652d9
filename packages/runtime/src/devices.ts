import { existsSync, readdirSync } from 'node:fs';
import { wordsOf } from './errors.js';
import { createSession, type Provider } from './session.js';
import { tensor } from './tensor.js';

/**
 * Whether each provider runs a small graph here. Where CUDA does not, `note` says so in plain words, and `detail` has the provider's own, which name what
 * it could not load.
 */
export type Devices = { cpu: { available: true }; cuda: { available: boolean; note: string | null; detail: string | null } };

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

/** Tries the CUDA provider by running a small graph, one that takes cuDNN too. Takes a moment; ask once per process. */
export async function probeDevices(): Promise<Devices> {
	try {
		const session = await createSession(convolution, { provider: 'cuda', logSeverity: 4 });
		await session.run({
			x: tensor('float32', [1, 1, 4, 4], new Float32Array(16)),
			w: tensor('float32', [1, 1, 3, 3], new Float32Array(9)),
		});
		await session.release();
		return { cpu: { available: true }, cuda: { available: true, note: null, detail: null } };
	} catch (error) {
		const detail = wordsOf(error);
		return { cpu: { available: true }, cuda: { available: false, note: noteOf(detail), detail } };
	}
}

/** Why CUDA does not run, in plain words. */
function noteOf(detail: string): string {
	if (/cudnn/i.test(detail)) return 'the GPU cannot be used: cuDNN 9 (libcudnn.so.9) is not installed here, or does not work';
	return gpuIsThere() ? 'the GPU cannot be used: CUDA or its provider is not installed here, or does not work' : 'no GPU found';
}

/**
 * The provider for a wish. `auto` takes CUDA where it is available, else the CPU with a note in plain words that says why. `cuda` where it is not
 * available gives null, with a note that has the provider's own words too.
 */
export function chooseProvider(wish: 'auto' | Provider, devices: Devices): { provider: Provider | null; note: string | null } {
	if (wish === 'cpu') return { provider: 'cpu', note: null };
	const { available, note, detail } = devices.cuda;
	if (available) return { provider: 'cuda', note: null };
	return wish === 'auto' ? { provider: 'cpu', note: `${note}, using the CPU` } : { provider: null, note: `${note} (${detail})` };
}
