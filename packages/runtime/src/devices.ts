import { existsSync, readdirSync } from 'node:fs';
import { wordsOf } from './errors.js';
import { createSession, type Provider } from './session.js';
import { tensor } from './tensor.js';

/**
 * Whether each provider runs a small graph here. Where CUDA does not, `note` says so in plain words, and `detail` has the provider's own, which name what
 * it could not load.
 */
export type Devices = { cpu: { available: true }; cuda: { available: boolean; note: string | null; detail: string | null } };

// y = x + x, opset 18: the bytes of a ModelProto, so that this package needs no encoder.
const doubling = Uint8Array.from(
	Buffer.from('CAg6PQoOCgF4CgF4EgF5IgNBZGQSAWdaEwoBeBIOCgwIARIICgIIAgoCCAJiEwoBeRIOCgwIARIICgIIAgoCCAJCBAoAEBI=', 'base64'),
);

/** Whether the system shows an NVIDIA GPU to this process. Known on Linux, where its driver makes a device of it; elsewhere none is assumed. */
function gpuIsThere(): boolean {
	if (process.platform !== 'linux') return false;
	return existsSync('/dev/dxg') || readdirSync('/dev').some((name) => /^nvidia\d+$/.test(name));
}

/** Tries the CUDA provider by running a small graph. Takes a moment; ask once per process. */
export async function probeDevices(): Promise<Devices> {
	try {
		const session = await createSession(doubling, { provider: 'cuda', logSeverity: 4 });
		await session.run({ x: tensor('float32', [2, 2], [1, 2, 3, 4]) });
		await session.release();
		return { cpu: { available: true }, cuda: { available: true, note: null, detail: null } };
	} catch (error) {
		const note = gpuIsThere() ? 'the GPU cannot be used: CUDA or its provider is not installed here, or does not work' : 'no GPU found';
		return { cpu: { available: true }, cuda: { available: false, note, detail: wordsOf(error) } };
	}
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
