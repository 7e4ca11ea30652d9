// Brings into out/s3 the servers that the store on S3 is tested on, SeaweedFS and moto, about 300 MB: `node test/s3/bring.js`. Exit code 1, with the reason, where they cannot be had.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const home = fileURLToPath(new URL('../../out/s3', import.meta.url));
const wanted = fileURLToPath(new URL('requirements.txt', import.meta.url));
/** What an environment was made from; written last, so that one which was cut short has none. */
const made = join(home, 'requirements.txt');

/** Makes a Python environment with the servers. Its programs name its own path, so it is made where it stays. */
async function bring() {
	if (existsSync(made) && (await readFile(made, 'utf8')) === (await readFile(wanted, 'utf8'))) return;
	await mkdir(dirname(home), { recursive: true });
	const aside = await mkdtemp(`${home}-old-`);
	if (existsSync(home)) await rename(home, join(aside, 'environment'));
	try {
		await run('python3', ['-m', 'venv', home]);
		await run(join(home, 'bin/python'), ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '-r', wanted], { timeout: 300_000 });
		await copyFile(wanted, made);
	} catch (error) {
		await rm(home, { recursive: true, force: true });
		throw error;
	} finally {
		await rm(aside, { recursive: true, force: true });
	}
}

await bring().catch((error) => {
	const lines = String(error.stderr || error.message)
		.trim()
		.split('\n');
	console.error(`the servers for the store on S3 could not be brought in: ${lines.at(-1)}`);
	process.exitCode = 1;
});
