// The Python that the peers of the bench run in: STEELYARD_BENCH_PYTHON, or one in out/bench/venv that is made, and given what it lacks, when it is needed.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../../out/bench/', import.meta.url));

/** By the name that Python imports: what pip installs. */
const PACKAGES = {
	numpy: 'numpy',
	torch: 'torch==2.13.0',
	jax: 'jax==0.10.2',
	scipy: 'scipy',
	sklearn: 'scikit-learn',
	pandas: 'pandas',
};

const lastLine = (error) =>
	String(error.stderr || error.message)
		.trim()
		.split('\n')
		.at(-1);

async function environment() {
	const given = process.env.STEELYARD_BENCH_PYTHON;
	if (given) return { python: given, given: true };
	const python = `${folder}venv/bin/python`;
	if (existsSync(python)) return { python };
	try {
		await mkdir(folder, { recursive: true });
		console.error('making a Python virtual environment under out/bench …');
		await run('python3', ['-m', 'venv', `${folder}venv`]);
		return { python };
	} catch (error) {
		return { absent: lastLine(error) };
	}
}

let made = null;

/** The path of a Python that has these packages, by the names of their imports, with their versions: `{ python, versions }`; or `{ absent: reason }`. */
export async function pythonWith(...imports) {
	made ??= environment();
	const { python, given, absent } = await made;
	if (absent !== undefined) return { absent };
	const versions = ['-c', `import json, ${imports}\nprint(json.dumps({m.__name__: m.__version__ for m in [${imports}]}))`];
	const ask = async () => JSON.parse((await run(python, versions)).stdout);
	try {
		return {
			python,
			versions: await ask().catch(async (error) => {
				if (given) throw error;
				const wanted = imports.map((name) => PACKAGES[name]);
				console.error(`installing ${wanted.join(', ')} under out/bench …`);
				await run(python, ['-m', 'pip', 'install', '-q', ...wanted], { maxBuffer: 1e8 });
				return ask();
			}),
		};
	} catch (error) {
		return { absent: lastLine(error) };
	}
}
