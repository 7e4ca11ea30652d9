// The processes of a race: ours, and each peer that this machine can run.
import { fileURLToPath } from 'node:url';
import { canHold, held } from '../cores.js';
import { stepping, TRAINER, timed } from '../processes.js';
import { pythonWith } from '../python.js';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Products of float32 in float32: on a GPU, ours and every peer would round their factors to ten bits. */
const EXACT = { NVIDIA_TF32_OVERRIDE: '0' };

/** Ours on a row on another device than the CPU; `where` has what a process needs beside (`args` of Node.js and `env`). */
export async function oursOn(provider, row, start, { args = [], env = {} } = {}) {
	return stepping(process.execPath, [...args, here('steps.js'), row.name, '1', start, '', provider], { ...TRAINER, ...EXACT, ...env });
}

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

/** PyTorch on CUDA: `eager`, `compile` or `graphs`, which is torch.compile that captures CUDA graphs. */
export async function torchOnCuda(mode, start) {
	if (mode !== 'eager' && !(await hasCompiler())) return { absent: 'torch.compile needs a C++ compiler, and there is no g++' };
	const { python: path, absent } = await pythonWith('numpy', 'torch');
	if (absent !== undefined) return { absent };
	return stepping(path, [here('../peers/torch_peer.py'), start, mode, '1', 'cuda'], EXACT);
}

/** By name: how each peer is started from the file `start`. */
export const peers = { eager, compile, jax };

/** What the peers are called where people read it. */
export const titles = {
	eager: 'PyTorch eager, fused Adam',
	compile: 'torch.compile, fused Adam',
	graphs: 'torch.compile with CUDA graphs',
	jax: 'JAX, jit and scan',
};

/** The versions of the peers that are there. */
export async function peerVersions() {
	const found = await Promise.all(['torch', 'jax'].map((name) => pythonWith(name)));
	return Object.assign({}, ...found.map(({ versions }) => versions ?? {}));
}
