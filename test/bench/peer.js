// A Python process with PyTorch, in a virtual environment that is made once under out/bench; absent where Python or PyTorch cannot be had.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

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

/** Starts peer.py: `{ step, stop }`, or `{ absent: reason }`. */
export async function peer() {
	const { python, reason } = await pythonWithTorch();
	if (python === null) return { absent: reason };
	const child = spawn(python, [fileURLToPath(new URL('peer.py', import.meta.url))], { stdio: ['pipe', 'pipe', 'inherit'] });
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	const first = await lines.next();
	if (first.done) return { absent: 'peer.py did not start' };
	return {
		step: async () => {
			child.stdin.write('go\n');
			return Number((await lines.next()).value);
		},
		stop: () => child.stdin.end(),
	};
}
