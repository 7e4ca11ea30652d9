// The zoo: `npm run zoo [-- word …] [--json] [--out folder] [--fresh] [--update]`. See README.md.
import { execFile, fork, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const here = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));
const EXPORTERS = ['torchscript', 'dynamo'];
const SECONDS = 300;

const { values: options, positionals: words } = parseArgs({
	allowPositionals: true,
	options: {
		json: { type: 'boolean', default: false },
		out: { type: 'string', default: join(tmpdir(), 'steelyard-zoo') },
		fresh: { type: 'boolean', default: false },
		update: { type: 'boolean', default: false },
	},
});
const say = (/** @type {string} */ text) => process.stderr.write(`${text}\n`);

/** A Python with what requirements.txt names: STEELYARD_PYTHON, or one in out/zoo/venv, made when needed. */
async function findPython() {
	const python = process.env.STEELYARD_PYTHON ?? here('../../out/zoo/venv/bin/python');
	const libraries = 'numpy onnx onnxruntime onnxscript safetensors timm torch torchvision transformers';
	const search = `import importlib.util; print(*[name for name in "${libraries}".split() if importlib.util.find_spec(name) is None])`;
	const lacks = async () => {
		try {
			return (await run(python, ['-c', search])).stdout.trim();
		} catch (error) {
			return String(/** @type {Error} */ (error).message).split('\n')[0];
		}
	};
	if (process.env.STEELYARD_PYTHON === undefined && (await lacks()) !== '') {
		say('making a Python environment with PyTorch, torchvision, timm and transformers under out/zoo …');
		await mkdir(here('../../out/zoo'), { recursive: true });
		await run('python3', ['-m', 'venv', here('../../out/zoo/venv')]);
		await run(python, ['-m', 'pip', 'install', '-q', '-r', here('requirements.txt')], { maxBuffer: 1e8 });
	}
	const lacking = await lacks();
	if (lacking !== '') throw new Error(`${python} cannot make the zoo; it lacks ${lacking}`);
	return python;
}

/** The checker's process; one that crashes or hangs is replaced. */
class Checker {
	#child = /** @type {import('node:child_process').ChildProcess | null} */ (null);

	check(/** @type {string} */ folder, /** @type {string} */ exporter) {
		this.#child ??= fork(here('check.js'), { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
		const child = this.#child;
		return new Promise((resolve) => {
			const done = (/** @type {object} */ outcome) => {
				clearTimeout(timer);
				child.removeAllListeners();
				resolve(outcome);
			};
			const timer = setTimeout(() => {
				child.kill('SIGKILL');
				this.#child = null;
				done({ status: 'timeout', detail: `took longer than ${SECONDS} s` });
			}, SECONDS * 1000);
			child.once('message', done);
			child.once('exit', (code, signal) => {
				this.#child = null;
				done({ status: 'crash', detail: `the checker ended with ${signal ?? code}` });
			});
			child.send({ folder, exporter });
		});
	}

	stop() {
		this.#child?.disconnect();
	}
}

/** Names of folders in which both exports are, in the order in which they become ready. */
async function* generated(/** @type {string} */ python, /** @type {string[]} */ names) {
	const child = spawn(python, [here('generate.py'), options.out, ...names], { stdio: ['ignore', 'pipe', 'inherit'] });
	const lines = createInterface({ input: child.stdout });
	const exit = new Promise((resolve) => child.on('exit', resolve));
	yield* lines;
	if ((await exit) !== 0) throw new Error('the generator failed');
}

/** What a script says of the files that were written, by `<name>/<exporter>`: `load.py` of Python's own runtime, `float64.py` of them in float64. */
async function ask(/** @type {string} */ python, /** @type {string} */ script, /** @type {string[]} */ exports) {
	const { stdout } = await run(python, [here(script), options.out, ...exports], { maxBuffer: 1e8 });
	return JSON.parse(stdout);
}

/** How far a file evaluated in float64 may be from autograd in float64: numbers of formulas, such as the epsilon of a norm, are in the file as float32. */
const OF_LOSS = 1e-6;
const OF_GRADIENT = 1e-5;

/** What `evaluated` in float64 says of a row, to which rounding may have given another status. */
function judge(row, evaluated) {
	if (evaluated === undefined || evaluated.failed !== undefined) return {};
	const far = (/** @type {number} */ share) => `${share.toExponential(1)} of it away from PyTorch's, both in float64`;
	if (!(evaluated.exported <= OF_LOSS)) return { status: 'export', detail: `the loss of the exported file is ${far(evaluated.exported)}` };
	if (!(evaluated.loss <= OF_LOSS)) return { status: 'loss', detail: `the loss is ${far(evaluated.loss)}` };
	if (!(evaluated.gradient <= OF_GRADIENT)) return { status: 'gradients', detail: `${evaluated.where} is ${far(evaluated.gradient)}` };
	if (row.status === 'loss' || row.status === 'gradients')
		return { status: 'rounding', detail: `in float32, ${row.status}: ${row.detail}` };
	return {};
}

const python = await findPython();
const { stdout } = await run(python, [here('generate.py'), '--list']);
const names = stdout
	.trim()
	.split('\n')
	.filter((name, _, all) => words.length === 0 || words.some((word) => (all.includes(word) ? name === word : name.includes(word))));
if (options.fresh) for (const name of names) await rm(join(options.out, name), { recursive: true, force: true });
await mkdir(options.out, { recursive: true });

const checker = new Checker();
/** @type {{ name: string, exporter: string, status: string, detail: string, loss?: object }[]} */
const rows = [];
const line = ({ name, exporter, status, detail }) =>
	`${name.padEnd(42)} ${exporter.padEnd(12)} ${status.padEnd(10)} ${detail.split('\n')[0]}`;
for await (const name of generated(python, names))
	for (const exporter of EXPORTERS) {
		const outcome = await checker.check(join(options.out, name), exporter);
		const row = { name, exporter, ...outcome };
		rows.push(row);
		say(line(row));
	}
checker.stop();

const written = rows.filter(({ loss }) => loss !== undefined).map(({ name, exporter }) => `${name}/${exporter}`);
const loads = await ask(python, 'load.py', written);
const evaluated = await ask(python, 'float64.py', written);
for (const row of rows) {
	const export_ = `${row.name}/${row.exporter}`;
	if (loads[export_] !== undefined && row.status === 'passes')
		Object.assign(row, { status: 'load', detail: `Python's onnxruntime: ${loads[export_]}` });
	const before = row.status;
	Object.assign(row, { float64: evaluated[export_] }, judge(row, evaluated[export_]));
	if (row.status !== before) say(`in float64: ${line(row)}`);
}

const expectedFile = here('expected.json');
/** @type {Record<string, Record<string, string>>} */
const expected = existsSync(expectedFile) ? JSON.parse(await readFile(expectedFile, 'utf8')) : {};
// which side of 0 the input of a ReLU is rounded to depends on the processor
const worse = rows.filter(
	({ name, exporter, status }) => expected[name]?.[exporter] === 'passes' && status !== 'passes' && status !== 'rounding',
);
const better = rows.filter(({ name, exporter, status }) => expected[name]?.[exporter] !== 'passes' && status === 'passes');
/** @type {Record<string, number>} */
const counts = {};
for (const { status } of rows) counts[status] = (counts[status] ?? 0) + 1;
if (options.update) {
	for (const { name, exporter, status } of rows) expected[name] = { ...expected[name], [exporter]: status };
	const sorted = Object.fromEntries(Object.entries(expected).sort(([a], [b]) => (a < b ? -1 : 1)));
	await writeFile(expectedFile, `${JSON.stringify(sorted, null, '\t')}\n`);
}
if (options.json) process.stdout.write(`${JSON.stringify({ counts, worse, better, rows }, null, 1)}\n`);
say(
	`${names.length} architectures, ${rows.length} exports: ${Object.entries(counts)
		.map(([status, count]) => `${count} ${status}`)
		.join(', ')}`,
);
if (better.length > 0) say(`${better.length} better than expected.json says; write them down with --update`);
for (const { name, exporter, status, detail } of worse)
	say(`worse than expected.json says: ${name} ${exporter} is now ${status}: ${detail}`);
process.exitCode = worse.length > 0 && !options.update ? 1 : 0;
