import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { print } from '../output.js';
import { probeDevices } from '../probe-devices.js';

const run = promisify(execFile);

/** An npm package (MIT) that holds the CUDA provider of the same build of ONNX Runtime as the pinned onnxruntime-node; about 200 MB. */
const REGISTRY_PACKAGE = 'com.github.asus4.onnxruntime.linux-x64-gpu@0.4.9';
/** The version of ONNX Runtime that the libraries in the package belong to. */
const PACKAGE_RUNTIME_VERSION = '1.29.0';
const LIBRARIES = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];
/** Longest that a program may take, in milliseconds. */
const TIMEOUT = 600_000;

/** The line of a failed program's stderr that says why it failed: the line of an error where a script threw one, else the last line. */
function reasonOf(error: unknown): string {
	const lines = (error as { stderr?: string }).stderr?.trim().split('\n') ?? [];
	return lines.find((line) => /Error: /.test(line))?.trim() ?? (lines.at(-1) || (error as Error).message);
}

/** The folder of onnxruntime-node that the runtime package loads. */
function runtimeFolder(): string {
	const require = createRequire(fileURLToPath(import.meta.resolve('@steelyard/runtime')));
	return dirname(dirname(require.resolve('onnxruntime-node')));
}

/** The libraries of the provider that a folder lacks. */
const missingIn = async (folder: string): Promise<string[]> => {
	const present = await readdir(folder);
	return LIBRARIES.filter((name) => !present.includes(name));
};

/** Downloads the package and copies its libraries to `target`. */
async function fromRegistry(target: string): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), 'steelyard-cuda-'));
	try {
		await run('npm', ['pack', REGISTRY_PACKAGE, '--pack-destination', folder], { cwd: folder, timeout: TIMEOUT });
		const archive = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
		await run('tar', ['xzf', join(folder, archive as string), '-C', folder], { timeout: TIMEOUT });
		const files = await readdir(folder, { recursive: true });
		for (const library of LIBRARIES) {
			const found = files.find((file) => basename(file) === library);
			if (found === undefined) throw new Error(`${REGISTRY_PACKAGE} does not hold ${library}`);
			await cp(join(folder, found), join(target, library));
		}
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

/** Libraries that the provider needs and this system lacks, such as those of CUDA and cuDNN; null where ldd cannot list them. */
async function missingLibraries(folder: string): Promise<string[] | null> {
	const listed = await run('ldd', [join(folder, LIBRARIES[1] as string)]).catch(() => null);
	if (listed === null) return null;
	const absent = [...listed.stdout.matchAll(/^\s*(\S+) => not found$/gm)].map(([, name]) => name as string);
	// The runtime finds its own libraries beside the provider.
	return absent.filter((name) => !name.startsWith('libonnxruntime'));
}

export function cuda(command: Command): void {
	command.action(async (_options: unknown, command: Command) => {
		const { json = false } = command.optsWithGlobals<{ json?: boolean }>();
		const say = (text: string): boolean => process.stderr.write(`${text}\n`);
		if (process.platform !== 'linux' || process.arch !== 'x64')
			throw new Error(`the CUDA provider is built for Linux on x64 only; this is ${process.platform} on ${process.arch}`);
		const root = runtimeFolder();
		const target = join(root, 'bin/napi-v6/linux/x64');
		if ((await missingIn(target)).length > 0) {
			say('downloading the provider with the installer of onnxruntime-node …');
			await run(process.execPath, [join(root, 'script/install.js'), '--onnxruntime-node-install'], { cwd: root, timeout: TIMEOUT }).catch(
				(error: unknown) => say(`  it failed: ${reasonOf(error)}`),
			);
		}
		if ((await missingIn(target)).length > 0) {
			const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
			if (version !== PACKAGE_RUNTIME_VERSION)
				throw new Error(`${REGISTRY_PACKAGE} is of ONNX Runtime ${PACKAGE_RUNTIME_VERSION} and does not fit the installed ${version}`);
			say(`downloading the provider in the package ${REGISTRY_PACKAGE} …`);
			await fromRegistry(target);
		}
		say(`the provider is in ${target}`);
		const missing = await missingLibraries(target);
		const { cuda: found } = await probeDevices();
		const absent =
			missing === null || missing.length === 0
				? ''
				: `\nmissing on this system: ${missing.join(', ')} (of CUDA 13, cuDNN 9 or the driver; where they are installed, name their folder in LD_LIBRARY_PATH)`;
		const text = found.available
			? 'CUDA works: jobs with device auto train on it'
			: `the provider does not run here: ${found.note} (${found.detail})${absent}`;
		print(json, { libraries: LIBRARIES, missing: missing ?? [], ...found }, text);
		if (!found.available) process.exitCode = 1;
	});
}
