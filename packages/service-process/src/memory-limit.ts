import type { ForkOptions } from 'node:child_process';
import { existsSync } from 'node:fs';

const SHELL = '/bin/sh';
/** Limits the memory that a process can write to, in kB, where the system allows it, and becomes the process. */
const LIMITED = ['-c', 'ulimit -d "$0" 2>/dev/null; exec "$@"'];

/**
 * How to fork a process that can take so many bytes of memory, by the limit that Linux keeps (RLIMIT_DATA): an allocation beyond it fails in the process itself.
 * `execArgv` goes to Node. Null where there is no such limit: on other systems, and without a shell to set it.
 */
export const heldTo = (bytes: number, execArgv: readonly string[] = []): Required<Pick<ForkOptions, 'execPath' | 'execArgv'>> | null =>
	process.platform === 'linux' && existsSync(SHELL)
		? { execPath: SHELL, execArgv: [...LIMITED, String(Math.floor(bytes / 1024)), process.execPath, ...execArgv] }
		: null;
