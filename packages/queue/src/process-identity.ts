import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** How often a process is asked whether it is still there, in milliseconds. */
const LOOK = 20;

async function onLinux(pid: number): Promise<string | null> {
	const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => null);
	if (stat === null) return null;
	// The name in parentheses may hold anything; behind it come the state and, as 22nd field of all, the start in ticks since boot (proc(5)).
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	if (fields[0] === 'Z' || fields[0] === 'X') return null;
	const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'latin1').catch(() => '')).trim();
	return `${boot}/${fields[19]}`;
}

async function elsewhere(pid: number): Promise<string | null> {
	const told = await promisify(execFile)('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]).catch(() => null);
	const [state, ...start] = told?.stdout.trim().split(/\s+/) ?? [];
	return state === undefined || state === '' || state.startsWith('Z') ? null : start.join(' ');
}

/** When a process began, in words that no later process with the same id shares; null where there is none or only its remains. */
export function identityOf(pid: number): Promise<string | null> {
	return process.platform === 'linux' ? onLinux(pid) : elsewhere(pid);
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
	try {
		process.kill(pid, name);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
	}
}

async function isGone(pid: number, identity: string, withinMs: number): Promise<boolean> {
	for (const end = Date.now() + withinMs; ; await delay(LOOK)) {
		if ((await identityOf(pid)) !== identity) return true;
		if (Date.now() > end) return false;
	}
}

/** Ends a process, by force where it has not gone by itself after `graceMs` milliseconds; nothing happens where it is not the one meant. */
export async function endProcess(pid: number, identity: string, graceMs: number): Promise<void> {
	if ((await identityOf(pid)) !== identity) return;
	signal(pid, 'SIGTERM');
	if (await isGone(pid, identity, graceMs)) return;
	signal(pid, 'SIGKILL');
	if (!(await isGone(pid, identity, 5000))) throw new Error(`process ${pid} does not end`);
}
