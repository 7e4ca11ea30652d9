import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { JobResource } from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { newJob } from '../../../packages/queue/test/job.js';
import { afterShortage, type MemoryShortage, shortageOf } from '../src/memory-shortage.js';
import { oomKills } from '../src/oom-kills.js';
import { saysOutOfMemory } from '../src/says-out-of-memory.js';
import type { TrainerEnd } from '../src/trainer-process.js';

const crashed = (of: Partial<Extract<TrainerEnd, { type: 'crashed' }>>): TrainerEnd => ({
	...{ type: 'crashed', code: null, signal: null, lastLines: [], said: null, oomKills: 0 },
	...of,
});
const failed = (code: 'out_of_memory' | 'diverged'): TrainerEnd => ({ type: 'failed', error: { code, message: '', param: null } });

describe('a trainer ran out of memory', () => {
	it.each([
		['it says so', failed('out_of_memory'), 'refused'],
		['another error', failed('diverged'), null],
		['it stopped', { type: 'stopped' }, null],
		['killed while the system counted that', crashed({ signal: 'SIGKILL', oomKills: 1 }), 'killed'],
		['the same, as a shell tells it', crashed({ code: 137, oomKills: 1 }), 'killed'],
		['killed by somebody', crashed({ signal: 'SIGKILL' }), null],
		['killed by somebody, after words of memory', crashed({ signal: 'SIGKILL', said: 'refused' }), null],
		['aborted with a full heap', crashed({ signal: 'SIGABRT', said: 'heap' }), 'heap'],
		['the same, as a shell tells it', crashed({ code: 134, said: 'heap' }), 'heap'],
		['trapped with a full heap', crashed({ signal: 'SIGTRAP', said: 'heap' }), 'heap'],
		['aborted since memory was refused', crashed({ signal: 'SIGABRT', said: 'refused' }), 'refused'],
		['aborted for another reason', crashed({ signal: 'SIGABRT' }), null],
		['aborted for another reason, while another process was ended for memory', crashed({ signal: 'SIGABRT', oomKills: 1 }), null],
		['an exit after words of memory', crashed({ code: 1, said: 'refused' }), null],
		['a fault of memory access', crashed({ signal: 'SIGSEGV', said: 'refused', oomKills: 1 }), null],
	] as [string, TrainerEnd, MemoryShortage | null][])('%s', (_, end, expected) => {
		expect(shortageOf(end)).toBe(expected);
	});

	it.each([
		['FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory', 'heap'],
		['RangeError: Array buffer allocation failed', 'refused'],
		["terminate called after throwing an instance of 'std::bad_alloc'", 'refused'],
		['Failed to allocate memory for requested buffer of size 67108864', 'refused'],
		['the memory of the elephant', null],
	])('by what it wrote: %s', (line, expected) => {
		expect(saysOutOfMemory(line)).toBe(expected);
	});
});

describe('what comes after a trainer that ran out of memory', () => {
	const end = (shortage: MemoryShortage, of: Partial<JobResource> = {}, progress = 0.5) =>
		afterShortage({ shortage, job: { ...newJob(), ...of }, progress, peak: 2e9, most: 3e9 });
	const before = { short_of_memory: { peak_memory_bytes: 2.5e9, progress: 0.5 } };
	const sparing = newJob().spec;
	sparing.training.recompute = 'segments';

	it.each([
		['refused', {}, 'retry'],
		['heap', {}, 'retry'],
		['killed', {}, 'retry'],
		['refused', { spec: sparing }, 'failed'],
		['killed', { spec: sparing }, 'retry'],
		['refused', before, 'failed'],
		['killed', before, 'failed'],
	] as const)('%s, of a job with %j', (shortage, of, expected) => {
		expect(end(shortage, of).status).toBe(expected);
	});

	it('is another attempt where the system ended it and it had come further, and no other way', () => {
		expect(end('killed', before, 0.6)).toMatchObject({
			status: 'retry',
			patch: { short_of_memory: { peak_memory_bytes: 2.5e9, progress: 0.6 } },
		});
		expect(end('refused', before, 0.6).status).toBe('failed');
	});

	it('is an error that says the most that any attempt was seen to take', () => {
		expect(end('refused', before)).toMatchObject({ error: { message: expect.stringContaining('seen to take 2.5 GB') } });
	});
});

describe('how many processes the system ended because memory ran out', () => {
	it.each([
		['cgroup v2', { 'proc/self/cgroup': '0::/a/b\n', 'sys/fs/cgroup/a/b/memory.events': 'oom 7\noom_kill 2\noom_group_kill 0\n' }, 2],
		['cgroup v2 in a container', { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/memory.events': 'oom_kill 5\n' }, 5],
		[
			'cgroup v1 by the path of the host',
			{
				'proc/self/cgroup': '9:name=systemd:/\n4:cpu,memory:/docker/a\n0::/\n',
				'sys/fs/cgroup/memory/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 4\n',
			},
			4,
		],
		['no group', { 'proc/self/cgroup': '0::/\n', 'proc/vmstat': 'pgfault 1\noom_kill 9\n' }, 9],
		['nothing', {}, null],
	])('%s', async (_, files, expected) => {
		const root = await mkdtemp(join(tmpdir(), 'steelyard-cgroup-'));
		try {
			for (const [name, text] of Object.entries(files)) {
				await mkdir(dirname(join(root, name)), { recursive: true });
				await writeFile(join(root, name), text);
			}
			expect(oomKills(root)).toBe(expected);
		} finally {
			await rm(root, { recursive: true });
		}
	});
});
