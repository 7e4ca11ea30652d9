// Processes that run a chunk of training steps whenever they are told: ours, and PyTorch's in a Python that has it.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

let found = null;

/** Path of a Python that has PyTorch: STEELYARD_BENCH_PYTHON, or one in out/bench/venv, made when needed. Null with a reason when there is none. */
async function pythonWithTorch() {
	const given = process.env.STEELYARD_BENCH_PYTHON;
	if (given) return { python: given };
	const venv = `${root}out/bench/venv`;
	const python = `${venv}/bin/python`;
	try {
		if (!existsSync(python)) {
			await mkdir(`${root}out/bench`, { recursive: true });
			console.error('making a Python virtual environment with PyTorch under out/bench …');
			await run('python3', ['-m', 'venv', venv]);
		}
		await run(python, ['-c', 'import torch']).catch(() =>
			run(python, ['-m', 'pip', 'install', '-q', 'torch==2.13.0', 'numpy'], { maxBuffer: 1e8 }),
		);
		return { python };
	} catch (error) {
		return { python: null, reason: String(error.message).split('\n')[0] };
	}
}

/** What the worker gives its trainers: the allocator keeps memory, in huge pages (services/worker/src/trainer-process.ts). */
const TRAINER = {
	MALLOC_MMAP_THRESHOLD_: '2000000000',
	MALLOC_TRIM_THRESHOLD_: '4000000000',
	GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
};

/** A process that answers every line with numbers, the first the milliseconds a step, the second (of training steps) its largest resident size in MiB. */
async function stepping(command, args, env = {}) {
	const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } });
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	const first = await lines.next();
	if (first.done) return { absent: `${args.join(' ')} did not start` };
	return {
		/** What the process said of itself before the first step. */
		first: first.value,
		step: async () => {
			child.stdin.write('go\n');
			const figures = String((await lines.next()).value)
				.split(' ')
				.map(Number);
			return { milliseconds: figures[0], peakMiB: figures[1], figures };
		},
		stop: () => child.stdin.end(),
	};
}

/** PyTorch on the steps of that name: `{ step, stop }`, or `{ absent: reason }`. */
export async function torch(name) {
	found ??= await pythonWithTorch();
	return found.python === null ? { absent: found.reason } : stepping(found.python, [here('peer.py'), name]);
}

/** The same Python, where it has these packages (imports by name) besides or can install them: `{ python }`, or `{ absent: reason }`. */
export async function pythonWith(packages) {
	found ??= await pythonWithTorch();
	const { python, reason } = found;
	if (python === null) return { absent: reason };
	const check = ['-c', `import ${Object.values(packages).join(', ')}`];
	const install = ['-m', 'pip', 'install', '-q', ...Object.keys(packages)];
	try {
		await run(python, check).catch((error) => {
			if (process.env.STEELYARD_BENCH_PYTHON) throw error;
			return run(python, install, { maxBuffer: 1e8 });
		});
	} catch (error) {
		return { absent: String(error.message).trim().split('\n').at(-1) };
	}
	return { python };
}

/** Another script in that Python: `{ step, stop }`, or `{ absent: reason }`. */
export async function peer(script, args, packages) {
	const { python, absent } = await pythonWith(packages);
	return python === undefined ? { absent } : stepping(python, [here(script), ...args]);
}

/** One run of a process from its start to its end: seconds, and what it printed. */
export async function timed(command, args) {
	const started = performance.now();
	const { stdout } = await run(command, args, { maxBuffer: 1e8 });
	return { seconds: (performance.now() - started) / 1000, printed: stdout.trim() };
}

/** The arithmetic of weighting.js: `{ step, stop }`. */
export const weighting = (...args) => stepping(process.execPath, [here('weighting.js'), ...args]);

/** Ours on the steps of that name: `{ first, step, stop }`. */
export const ours = (name, ...args) => stepping(process.execPath, [here('steps.js'), name, ...args], TRAINER);
