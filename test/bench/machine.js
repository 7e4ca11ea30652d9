// Where and with what the figures of a run were measured.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { peerVersions } from './engine/contenders.js';

/** `load` is the mean number of busy processes of the last minute before the run: above a fraction of the cores, times say little. */
export function machine() {
	const cores = cpus();
	return {
		...{ cpu: cores[0]?.model ?? 'unknown', cores: cores.length, memoryMiB: Math.round(totalmem() / 2 ** 20) },
		...{ system: `${platform()} ${release()} ${arch()}`, load: loadavg()[0], at: new Date().toISOString() },
	};
}

async function onnxRuntime() {
	const require = createRequire(new URL('../../packages/runtime/package.json', import.meta.url));
	const { version } = JSON.parse(await readFile(require.resolve('onnxruntime-node/package.json'), 'utf8'));
	return version;
}

export async function ownVersions() {
	return { node: process.versions.node, onnxruntime: await onnxRuntime() };
}

export async function versions() {
	return { ...(await ownVersions()), ...(await peerVersions()) };
}
