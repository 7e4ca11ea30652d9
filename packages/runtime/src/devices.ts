import { wordsOf } from './errors.js';
import { createSession, type Provider } from './session.js';
import { tensor } from './tensor.js';

/** Whether each provider runs a small graph here; `note` are the provider's own words where it does not. */
export type Devices = { cpu: { available: true }; cuda: { available: boolean; note: string | null } };

// y = x + x, opset 18: the bytes of a ModelProto, so that this package needs no encoder.
const doubling = Uint8Array.from(
	Buffer.from('CAg6PQoOCgF4CgF4EgF5IgNBZGQSAWdaEwoBeBIOCgwIARIICgIIAgoCCAJiEwoBeRIOCgwIARIICgIIAgoCCAJCBAoAEBI=', 'base64'),
);

/** Tries the CUDA provider by running a small graph. Takes a moment; ask once a process. */
export async function probeDevices(): Promise<Devices> {
	try {
		const session = await createSession(doubling, { provider: 'cuda', logSeverity: 4 });
		await session.run({ x: tensor('float32', [2, 2], [1, 2, 3, 4]) });
		await session.release();
		return { cpu: { available: true }, cuda: { available: true, note: null } };
	} catch (error) {
		return { cpu: { available: true }, cuda: { available: false, note: wordsOf(error) } };
	}
}

/** The provider for a wish: `auto` takes CUDA where it is, else the CPU with a note that says why; `cuda` without CUDA gives null and the note. */
export function chooseProvider(wish: 'auto' | Provider, devices: Devices): { provider: Provider | null; note: string | null } {
	if (wish === 'cpu') return { provider: 'cpu', note: null };
	if (devices.cuda.available) return { provider: 'cuda', note: null };
	return wish === 'auto' ? { provider: 'cpu', note: devices.cuda.note } : { provider: null, note: devices.cuda.note };
}
