import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const textOf = (path: string): string => {
	try {
		return readFileSync(path, 'latin1');
	} catch {
		return '';
	}
};

/**
 * How many processes the system has ended because memory ran out: of the control group of this process (the counter `oom_kill` of cgroup v2 or v1, by the
 * kernel's documentation that of any such end in the group), or of the machine where no group is found. Null where nothing says so, as on other systems
 * than Linux. `root`: where `/proc` and `/sys` lie.
 */
export function oomKills(root = '/'): number | null {
	const groups = textOf(join(root, 'proc/self/cgroup'));
	const [, v2] = /^0::(\/.*)$/m.exec(groups) ?? [];
	const [, v1] = /^\d+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(\/.*)$/m.exec(groups) ?? [];
	// In a container the path can be that of the host, while only the group itself is mounted.
	const files = [
		...(v1 === undefined ? [] : [v1, '/'].map((path) => join('sys/fs/cgroup/memory', path, 'memory.oom_control'))),
		...(v2 === undefined ? [] : [v2, '/'].map((path) => join('sys/fs/cgroup', path, 'memory.events'))),
		'proc/vmstat',
	];
	for (const file of files) {
		const [, count] = /^oom_kill (\d+)$/m.exec(textOf(join(root, file))) ?? [];
		if (count !== undefined) return Number(count);
	}
	return null;
}
