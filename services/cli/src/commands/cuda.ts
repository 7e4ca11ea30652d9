import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { print } from '../output.js';

const run = promisify(execFile);

/** The CUDA provider of the same build of ONNX Runtime as the pinned onnxruntime-node, as an npm package (MIT); its archive has some 200 MB. */
const REGISTRY_PACKAGE = 'com.github.asus4.onnxruntime.linux-x64-gpu@0.4.9';
/** Of ONNX Runtime, to whose build the package's libraries belong. */
const REGISTRY_VERSION = '1.29.0';
const LIBRARIES = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];
const LONGEST = 600_000;

/** The line of a failed program that says why: of a script that threw, the error and not the version of Node that follows its stack. */
function words(error: unknown): string {
	const lines = (error as { stderr?: string }).stderr?.trim().split('\n') ?? [];
	return lines.find((line) => /Error: /.test(line))?.trim() ?? (lines.at(-1) || (error as Error).message);
}

/** The folder of onnxruntime-node that the runtime package loads. */
function runtimeFolder(): string {
	const require = createRequire(fileURLToPath(import.meta.resolve('@steelyard/runtime')));
	return dirname(dirname(require.resolve('onnxruntime-node')));
}

const missingIn = async (folder: string): Promise<string[]> => {
	const there = await readdir(folder);
	return LIBRARIES.filter((name) => !there.includes(name));
};

async function fromRegistry(target: string): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), 'steelyard-cuda-'));
	try {
		await run('npm', ['pack', REGISTRY_PACKAGE, '--pack-destination', folder], { cwd: folder, timeout: LONGEST });
		const archive = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
		await run('tar', ['xzf', join(folder, archive as string), '-C', folder], { timeout: LONGEST });
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

/** Libraries that the provider needs and the system does not find, such as those of CUDA and cuDNN; null where that cannot be told. */
async function missingLibraries(folder: string): Promise<string[] | null> {
	const listed = await run('ldd', [join(folder, LIBRARIES[1] as string)]).catch(() => null);
	if (listed === null) return null;
	const absent = [...listed.stdout.matchAll(/^\s*(\S+) => not found$/gm)].map(([, name]) => name as string);
	// The provider's own are found by the runtime, beside it.
	return absent.filter((name) => !name.startsWith('libonnxruntime'));
}

/** The probe in a process of its own: a provider that was put there just now is loaded afresh. */
async function probed(): Promise<{ available: boolean; note: string | null }> {
	const script = `import { probeDevices } from ${JSON.stringify(import.meta.resolve('@steelyard/runtime'))}; process.stdout.write(JSON.stringify((await probeDevices()).cuda));`;
	const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { timeout: LONGEST });
	return JSON.parse(stdout) as { available: boolean; note: string | null };
}

export function cuda(program: Command): void {
	program
		.command('cuda')
		.description('install the CUDA provider of ONNX Runtime (Linux on x64); needs CUDA 13 and cuDNN 9')
		.action(async (_options: unknown, command: Command) => {
			const { json = false } = command.optsWithGlobals<{ json?: boolean }>();
			const say = (text: string): boolean => process.stderr.write(`${text}\n`);
			if (process.platform !== 'linux' || process.arch !== 'x64')
				throw new Error(`the CUDA provider is built for linux on x64 only; this is ${process.platform} on ${process.arch}`);
			const root = runtimeFolder();
			const target = join(root, 'bin/napi-v6/linux/x64');
			if ((await missingIn(target)).length > 0) {
				say("fetching the provider by onnxruntime-node's own installer …");
				await run(process.execPath, [join(root, 'script/install.js'), '--onnxruntime-node-install'], { cwd: root, timeout: LONGEST }).catch(
					(error: unknown) => say(`  it could not: ${words(error)}`),
				);
			}
			if ((await missingIn(target)).length > 0) {
				const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
				if (version !== REGISTRY_VERSION)
					throw new Error(`${REGISTRY_PACKAGE} is of ONNX Runtime ${REGISTRY_VERSION} and does not fit the installed ${version}`);
				say(`fetching the provider from the registry package ${REGISTRY_PACKAGE} …`);
				await fromRegistry(target);
			}
			say(`the provider is in ${target}`);
			const missing = await missingLibraries(target);
			const found = await probed();
			const absent =
				missing === null || missing.length === 0
					? ''
					: `\nmissing on this system: ${missing.join(', ')} (of CUDA 13, cuDNN 9 or the driver; where they are installed, name their folder in LD_LIBRARY_PATH)`;
			const text = found.available
				? 'CUDA works: jobs with device auto train on it'
				: `the provider does not run here: ${found.note}${absent}`;
			print(json, { libraries: LIBRARIES, missing: missing ?? [], ...found }, text);
			if (!found.available) process.exitCode = 1;
		});
}
