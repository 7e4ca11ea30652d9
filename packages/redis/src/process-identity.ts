import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Milliseconds between two looks whether a process is still there. */
const LOOK_EVERY = 20;

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
	const listed = await promisify(execFile)('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]).catch(() => null);
	const [state, ...start] = listed?.stdout.trim().split(/\s+/) ?? [];
	return state === undefined || state === '' || state.startsWith('Z') ? null : start.join(' ');
}

/**
 * Tells a process from every other that ever has the same id: by when it began, and on Linux by the boot as well. null where there is no such process,
 * or one that has ended and is not collected yet.
 */
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

/** Waits for a process to be gone; false where it is still there after `withinMs` milliseconds. */
async function isGone(pid: number, identity: string, withinMs: number): Promise<boolean> {
	for (const end = Date.now() + withinMs; ; await delay(LOOK_EVERY)) {
		if ((await identityOf(pid)) !== identity) return true;
		if (Date.now() > end) return false;
	}
}

/**
 * Ends the process `pid` if it still has `identity`: by SIGTERM, and by SIGKILL where it is still there after `graceMs` milliseconds.
 * Rejects where it does not end even then.
 */
export async function endProcess(pid: number, identity: string, graceMs: number): Promise<void> {
	if ((await identityOf(pid)) !== identity) return;
	signal(pid, 'SIGTERM');
	if (await isGone(pid, identity, graceMs)) return;
	signal(pid, 'SIGKILL');
	if (!(await isGone(pid, identity, 5000))) throw new Error(`process ${pid} does not end`);
}
