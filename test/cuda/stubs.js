// Builds the libraries of CUDA that ONNX Runtime's CUDA provider asks for, so that it loads on a machine without a GPU: those functions that must answer sensibly are
// written in stubs/*.c, and for every other one that the provider imports, or names to dlsym, a function is made that returns 0.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const sources = fileURLToPath(new URL('stubs/', import.meta.url));

/** Libraries that the provider opens by dlopen, and what the names of their functions begin with. */
const OPENED = {
	'libcuda.so.1': /\0(cu(?:Device|Func|Get|Launch|Link|Module|Tensor|Init|Stream|Mem|Ctx)[A-Z]\w*)(?=\0)/g,
	'libcudnn.so.9': /\0(cudnn[A-Z]\w+)(?=\0)/g,
	'libcufft.so.12': /\0(cufft[A-Z]\w+)(?=\0)/g,
	'libnvrtc.so.13': /\0(nvrtc[A-Z]\w+)(?=\0)/g,
};

const readelf = async (...args) => (await run('readelf', args, { maxBuffer: 1e9 })).stdout;

/** The functions that the provider wants of each library. */
async function wanted(provider) {
	const found = new Map();
	const of = (library) => found.get(library) ?? found.set(library, new Set()).get(library);
	for (const [, library] of (await readelf('-d', '-W', provider)).matchAll(/NEEDED.*\[(lib(?:cu|nv)\S+)\]/g)) of(library);
	for (const [, name, library] of (await readelf('--dyn-syms', '-W', provider)).matchAll(/ UND (\w+)@(lib(?:cu|nv)\S+)/g))
		of(library).add(name);
	const text = await readFile(provider, 'latin1');
	for (const [library, pattern] of Object.entries(OPENED)) for (const [, name] of text.matchAll(pattern)) of(library).add(name);
	return found;
}

/** Builds one library from what is written of it and what it lacks, and gives it the version that the provider asks for. */
async function build(library, functions, folder) {
	const stem = /^lib(\w+)\.so/.exec(library)[1];
	const written = join(sources, `${stem}.c`);
	const source = existsSync(written) ? await readFile(written, 'utf8') : '#include "counters.h"\n';
	const has = new Set([...source.matchAll(/\b(\w+)\(/g)].map(([, name]) => name));
	for (const [, name] of source.matchAll(/CREATE\((\w*)\)/g)) has.add(`cudnnCreate${name}`);
	const made = [...functions].filter((name) => !has.has(name)).map((name) => `long ${name}(void) { count("${name}", 0); return 0; }`);
	const [code, versions] = [join(folder, `${stem}.c`), join(folder, `${stem}.map`)];
	await writeFile(code, `${source}\n${made.join('\n')}\n`);
	await writeFile(versions, `${library} { global: *; };\n`);
	const linked = ['-shared', '-fPIC', `-Wl,-soname,${library}`, `-Wl,--version-script=${versions}`, '-o', join(folder, library), code];
	await run('gcc', ['-O1', '-w', '-fno-builtin', `-I${sources}`, ...linked, '-ldl', '-lpthread']);
}

/** Builds all libraries that `provider`, a path, asks for into `folder`. */
export async function buildStubs(provider, folder) {
	await mkdir(folder, { recursive: true });
	for (const [library, functions] of await wanted(provider)) await build(library, functions, folder);
}
