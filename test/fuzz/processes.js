import { readFileSync } from 'node:fs';

const read = (path) => {
	try {
		return readFileSync(path, 'latin1');
	} catch {
		return ''; // it ended meanwhile, or this is no Linux
	}
};
const times = (pid) => {
	const stat = read(`/proc/${pid}/stat`);
	const [user = 0, system = 0, childUser = 0, childSystem = 0] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 16).map(Number);
	return { own: (user + system) / 100, ended: (childUser + childSystem) / 100 };
};

/** The ids of the processes that this one has started and that run such a program. */
export const children = (program = /./) =>
	read(`/proc/${process.pid}/task/${process.pid}/children`)
		.split(' ')
		.filter((pid) => pid !== '' && program.test(read(`/proc/${pid}/cmdline`)))
		.map(Number);

/** Seconds of processor time that this process and its children have taken; the kernel counts in hundredths. */
export function processorSeconds() {
	const { own, ended } = times(process.pid);
	return own + ended + children().reduce((sum, pid) => sum + times(pid).own, 0);
}

/** The most bytes of memory that a process has had. */
export const peakBytes = (pid) => 1024 * Number(/VmHWM:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
