// The processes of a race: ours, and each peer that this machine can run.
import { fileURLToPath } from 'node:url';
import { canHold, held } from '../cores.js';
import { stepping, TRAINER, timed } from '../processes.js';
import { pythonWith } from '../python.js';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Ours on a row; without a `variant` it writes the file `start`, from which the peers begin. */
export async function ours(row, threads, start, variant) {
	const args = [here('steps.js'), row.name, String(threads), start, ...(variant === undefined ? [] : [variant])];
	return stepping(...(await held(threads, process.execPath, args)), TRAINER);
}

async function python(imports, threads, script, args, env) {
	const { python, absent } = await pythonWith('numpy', imports);
	if (absent !== undefined) return { absent };
	return stepping(...(await held(threads, python, [here(`../peers/${script}`), ...args])), env);
}

const eager = (start, threads) => python('torch', threads, 'torch_peer.py', [start, 'eager', String(threads)]);

const hasCompiler = () =>
	timed('g++', ['--version']).then(
		() => true,
		() => false,
	);

async function compile(start, threads) {
	if (!(await hasCompiler())) return { absent: 'torch.compile needs a C++ compiler, and there is no g++' };
	const cache = fileURLToPath(new URL('../../../out/bench/inductor', import.meta.url));
	const env = { TORCHINDUCTOR_CACHE_DIR: cache, TORCHINDUCTOR_COMPILE_THREADS: '1' };
	return python('torch', threads, 'torch_peer.py', [start, 'compile', String(threads)], env);
}

async function jax(start, threads) {
	if (!(await canHold())) return { absent: 'nothing here holds JAX to its number of threads: there is no taskset' };
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
