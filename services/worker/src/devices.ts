import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { WorkerDevices } from '@steelyard/contracts';
import type { Devices } from '@steelyard/runtime';
import { eachLine, environmentWithoutSecrets } from '@steelyard/service-process';
import type { FromProbe } from './protocol.js';

/** The compiled file, by a path that holds from `src` as well as from `dist` and from `bundle`. */
export const PROBE_ENTRY = fileURLToPath(new URL('../dist/probe-child.js', import.meta.url));

/** How long a probe may take, in milliseconds: a driver that has to translate its kernels first is slow. */
const LONGEST_PROBE = 120_000;
/** Lines that a probe wrote before it crashed which are kept as the detail. */
const LINES = 5;

/** Tries the devices in a process of its own. After a probe that crashes CUDA is not available, and the note says how it ended. */
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
			resolve(devices ?? { cpu: { available: true }, cuda: { available: false, note, detail } });
		});
	});
}

/** What a worker tells others of its devices: the note in plain words with the detail behind it. */
export function announced({ cpu, cuda: { available, note, detail } }: Devices): WorkerDevices {
	return { cpu, cuda: { available, note: note === null ? null : `${note} (${detail})` } };
}
