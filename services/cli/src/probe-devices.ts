import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Devices } from '@steelyard/runtime';

/** Longest that a probe may take, in milliseconds: a driver may have to translate its kernels first. */
const TIMEOUT = 600_000;

/** What can be trained on here, tried in a new process, which loads a provider that was only just installed. */
export async function probeDevices(): Promise<Devices> {
	const script = `import { probeDevices } from ${JSON.stringify(import.meta.resolve('@steelyard/runtime'))}; process.stdout.write(JSON.stringify(await probeDevices()));`;
	const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { timeout: TIMEOUT });
	return JSON.parse(stdout) as Devices;
}
