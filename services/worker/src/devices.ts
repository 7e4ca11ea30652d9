import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { WorkerDevices } from '@steelyard/contracts';
import type { Availability, Devices } from '@steelyard/runtime';
import { eachLine, environmentWithoutSecrets } from '@steelyard/service-process';
import type { FromProbe } from './protocol.js';

/** The compiled file, by a path that holds from `src` as well as from `dist` and from `bundle`. */
export const PROBE_ENTRY = fileURLToPath(new URL('../dist/probe-child.js', import.meta.url));

/** How long a probe may take, in milliseconds: a driver that has to translate its kernels first is slow. */
const LONGEST_PROBE = 120_000;
/** Lines that a probe wrote before it crashed which are kept as the detail. */
const LINES = 5;

/** Tries the devices in a process of its own. After a probe that crashes neither CUDA nor WebGPU is available, and the note says how it ended. */
export function probe(entry: string = PROBE_ENTRY): Promise<Devices> {
	return new Promise((resolve, reject) => {
		const child = fork(entry, [], { execArgv: [], env: environmentWithoutSecrets(), stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
		const lines: string[] = [];
		eachLine(child.stderr, (line) => lines.push(line));
		let devices: Devices | null = null;
		const late = setTimeout(() => child.kill('SIGKILL'), LONGEST_PROBE);
		child.on('message', (message: FromProbe) => {
			devices = message.devices;
		});
		child.once('error', reject);
		child.once('close', (code, signal) => {
			clearTimeout(late);
			const note = `the probe of the GPU ended with ${signal ?? `exit code ${code}`}`;
			const detail = lines.slice(0, LINES).join(' | ') || 'it wrote nothing';
			const crashed = { available: false, note, detail };
			resolve(devices ?? { cpu: { available: true }, cuda: crashed, webgpu: { ...crashed, name: null, isSoftware: null } });
		});
	});
}

/** What a worker tells others of its devices: the note in plain words with the detail behind it. */
export function announced({ cpu, cuda, webgpu }: Devices): WorkerDevices {
	const of = ({ available, note, detail }: Availability) => ({ available, note: note === null ? null : `${note} (${detail})` });
	return { cpu, cuda: of(cuda), webgpu: { ...of(webgpu), adapter: webgpu.name, software: webgpu.isSoftware } };
}

/** What was found, in a few words. */
export function foundIn({ cuda, webgpu }: Devices): string {
	if (cuda.available) return 'a GPU was found, and CUDA works';
	if (!webgpu.available) return `${cuda.note}, using the CPU`;
	const adapter = webgpu.name ?? 'an adapter that does not say its name';
	if (webgpu.isSoftware === false) return `WebGPU works on ${adapter}`;
	return `${cuda.note}, using the CPU; WebGPU works on ${adapter}, which is ${webgpu.isSoftware ? 'in software' : 'not known to be a GPU'}`;
}
