// The processes of a race: ours, and each peer that this machine can run.
import { fileURLToPath } from 'node:url';
import { stepping, TRAINER, timed } from '../processes.js';
import { pythonWith } from '../python.js';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const runs = (command, args) =>
	timed(command, args).then(
		() => true,
		() => false,
	);

let pinning = null;

/**
 * A process on as many cores as it may have threads, where the system can hold it there (taskset of Linux): settings alone do not keep XLA to them, and all sides are to
 * have the same.
 */
async function pinned(threads, command, args, env) {
	pinning ??= runs('taskset', ['--version']);
	if (!(await pinning)) return stepping(command, args, env);
	return stepping('taskset', ['-c', threads === 1 ? '0' : `0-${threads - 1}`, command, ...args], env);
}

/** Ours on a row; without a `variant` it writes the file `start`, from which the peers begin. */
export const ours = (row, threads, start, variant) =>
	pinned(
		threads,
		process.execPath,
		[here('steps.js'), row.name, String(threads), start, ...(variant === undefined ? [] : [variant])],
		TRAINER,
	);

async function python(imports, threads, script, args, env) {
	const found = await pythonWith('numpy', imports);
	return found.absent === undefined ? pinned(threads, found.python, [here(`../peers/${script}`), ...args], env) : found;
}

const eager = (start, threads) => python('torch', threads, 'torch_peer.py', [start, 'eager', String(threads)]);

async function compile(start, threads) {
	if (!(await runs('g++', ['--version']))) return { absent: 'torch.compile needs a C++ compiler, and there is no g++' };
	const cache = fileURLToPath(new URL('../../../out/bench/inductor', import.meta.url));
	const env = { TORCHINDUCTOR_CACHE_DIR: cache, TORCHINDUCTOR_COMPILE_THREADS: '1' };
	return python('torch', threads, 'torch_peer.py', [start, 'compile', String(threads)], env);
}

async function jax(start, threads) {
	pinning ??= runs('taskset', ['--version']);
	if (!(await pinning)) return { absent: 'nothing here holds JAX to its number of threads: there is no taskset' };
	return python('jax', threads, 'jax_peer.py', [start, String(threads)]);
}

/** By name: how each peer is started from the file `start`. */
export const peers = { eager, compile, jax };

/** What the peers are called where people read it. */
export const titles = { eager: 'PyTorch eager, fused Adam', compile: 'torch.compile, fused Adam', jax: 'JAX, jit and scan' };

/** The versions of the peers that are there. */
export async function peerVersions() {
	const found = await Promise.all(['torch', 'jax'].map((name) => pythonWith(name)));
	return Object.assign({}, ...found.map(({ versions }) => versions ?? {}));
}
