// A copy of onnxruntime-node with its CUDA provider, and libraries of CUDA to load it with where there is no GPU. All is kept in out/cuda.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildStubs } from './stubs.js';

const run = promisify(execFile);
const home = fileURLToPath(new URL('../../out/cuda/', import.meta.url));
const sources = fileURLToPath(new URL('stubs/', import.meta.url));

/** The npm package that `steelyard cuda` takes the provider from. */
const PACKAGE = 'com.github.asus4.onnxruntime.linux-x64-gpu@0.4.9';
const LIBRARIES = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];
const BINARIES = 'bin/napi-v6/linux/x64';

/** Makes `folder` by `fill`, or not at all: one that was cut short is not there. */
async function once(folder, fill) {
	if (existsSync(folder)) return folder;
	await mkdir(home, { recursive: true });
	const made = await mkdtemp(join(home, 'making-'));
	try {
		await fill(made);
		// another process may have made it meanwhile
		if (!existsSync(folder)) await rename(made, folder);
	} finally {
		await rm(made, { recursive: true, force: true });
	}
	return folder;
}

/** onnxruntime-node as the runtime package has it, with the provider beside its library. The one that is installed stays as it is: other tests are to find no provider there. */
async function runtimeWithProvider(folder) {
	await run('npm', ['pack', PACKAGE, '--pack-destination', folder], { cwd: folder, timeout: 300_000 });
	const archive = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
	await run('tar', ['xzf', archive], { cwd: folder });
	const require = createRequire(new URL('../../packages/runtime/package.json', import.meta.url));
	const installed = dirname(require.resolve('onnxruntime-node/package.json'));
	const modules = join(folder, 'node_modules');
	const copy = join(modules, 'onnxruntime-node');
	for (const part of ['package.json', 'dist', BINARIES]) await cp(join(installed, part), join(copy, part), { recursive: true });
	await symlink(await realpath(join(dirname(installed), 'onnxruntime-common')), join(modules, 'onnxruntime-common'));
	for (const name of LIBRARIES) await rename(join(folder, 'package/Plugins/Linux/x64', name), join(copy, BINARIES, name));
	await rm(join(folder, 'package'), { recursive: true });
	await rm(join(folder, archive));
}

/** A name that changes with the text of the stubs and of what builds them. */
async function fingerprint() {
	const files = [
		fileURLToPath(new URL('stubs.js', import.meta.url)),
		...(await readdir(sources)).sort().map((name) => join(sources, name)),
	];
	const hash = createHash('sha256');
	for (const file of files) hash.update(await readFile(file));
	return hash.digest('hex').slice(0, 12);
}

/**
 * What a process needs to load the provider on a machine without a GPU: `args` of Node.js and `env`. `{ absent: reason }` where it cannot be had: it takes Linux on x64,
 * gcc with readelf, and the provider in out/cuda, which `bring` fetches from the package registry where it is not there yet.
 */
export async function standIn({ bring = false } = {}) {
	if (process.platform !== 'linux' || process.arch !== 'x64')
		return { absent: `the provider is built for Linux on x64; this is ${process.platform} on ${process.arch}` };
	for (const tool of ['gcc', 'readelf'])
		if (!(await run(tool, ['--version']).catch(() => null))) return { absent: `there is no ${tool} to build the libraries of CUDA with` };
	try {
		const runtime = join(home, `runtime-${PACKAGE.split('@')[1]}`);
		if (!bring && !existsSync(runtime)) return { absent: 'the provider is not in out/cuda; "node test/cuda/bring.js" brings it there' };
		await once(runtime, runtimeWithProvider);
		const copy = join(runtime, 'node_modules/onnxruntime-node');
		const stubs = await once(join(home, `stubs-${await fingerprint()}`), (folder) =>
			buildStubs(join(copy, BINARIES, LIBRARIES[1]), folder),
		);
		return {
			args: ['--import', fileURLToPath(new URL('redirect.js', import.meta.url))],
			env: { STEELYARD_CUDA_RUNTIME: copy, LD_LIBRARY_PATH: [stubs, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':') },
			stubs,
		};
	} catch (error) {
		return {
			absent: `the provider could not be brought in: ${String(error.stderr || error.message)
				.trim()
				.split('\n')
				.at(-1)}`,
		};
	}
}
