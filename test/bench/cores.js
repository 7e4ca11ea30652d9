// Holds a process to as many cores as it may have threads: settings alone do not keep XLA to them, and all sides of a comparison are to have the same.
import { readFile } from 'node:fs/promises';
import { timed } from './processes.js';

/** The numbers of a list as Linux writes it, `0-3,6`. */
export const numbersIn = (list) =>
	list.split(',').flatMap((part) => {
		const [first, last = first] = part.split('-').map(Number);
		return Array.from({ length: last - first + 1 }, (_, i) => first + i);
	});

/** The cores that this process may use, where the system tells them and taskset can choose among them; null elsewhere. */
async function cores() {
	try {
		await timed('taskset', ['--version']);
		const [, list] = /^Cpus_allowed_list:\s*(\S+)/m.exec(await readFile('/proc/self/status', 'utf8'));
		return numbersIn(list);
	} catch {
		return null;
	}
}

let found = null;

/** Whether a process can be held to some cores here. */
export async function canHold() {
	found ??= cores();
	return (await found) !== null;
}

/** The command and its arguments, held to `threads` cores where that can be done. */
export async function held(threads, command, args) {
	if (!(await canHold())) return [command, args];
	return ['taskset', ['-c', (await found).slice(0, threads).join(','), command, ...args]];
}
