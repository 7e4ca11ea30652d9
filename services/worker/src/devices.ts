import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { WorkerDevices } from '@steelyard/contracts';
import { eachLine } from './lines.js';
import type { FromProbe } from './protocol.js';

/** Seen from the sources as from what is built. */
export const PROBE_ENTRY = fileURLToPath(new URL('../dist/probe-child.js', import.meta.url));

/** How long a probe may take, in milliseconds: a driver that has to translate its kernels first is slow. */
const LONGEST = 120_000;
const WORDS = 5;

/** Tries the devices in a process of its own. A probe that crashes says that there is no CUDA, and why. */
export function probe(entry: string = PROBE_ENTRY): Promise<WorkerDevices> {
	return new Promise((resolve, reject) => {
		const child = fork(entry, [], { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
		const words: string[] = [];
		eachLine(child.stderr, (line) => words.push(line));
		let devices: WorkerDevices | null = null;
		const late = setTimeout(() => child.kill('SIGKILL'), LONGEST);
		child.on('message', (message: FromProbe) => {
			devices = message.devices;
		});
		child.once('error', reject);
		child.once('close', (code, signal) => {
			clearTimeout(late);
			const note = `the probe of the devices ended with ${signal ?? `exit code ${code}`}${words.length === 0 ? '' : `: ${words.slice(0, WORDS).join(' | ')}`}`;
			resolve(devices ?? { cpu: { available: true }, cuda: { available: false, note } });
		});
	});
}
