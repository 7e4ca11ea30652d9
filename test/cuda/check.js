// Whether CUDA trains as the CPU does: where the provider places the programs, whether losses agree, and times beside the CPU and PyTorch.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ours, oursOn, torchOnCuda } from '../bench/engine/contenders.js';
import { race } from '../bench/engine/race.js';
import { rowsOf } from '../bench/engine/rows.js';
import { machine, ownVersions } from '../bench/machine.js';
import { pythonWith } from '../bench/python.js';
import { placementsOf } from './placement.js';
import { programs } from './programs.js';

const run = promisify(execFile);
const RUNTIME = fileURLToPath(new URL('../../packages/runtime/dist/index.js', import.meta.url));
const OUT = fileURLToPath(new URL('../../out/', import.meta.url));
const ROUNDS = 9;
const QUICK = 3;

/** @typedef {{ args?: string[], env?: Record<string, string | undefined> }} Where What a process needs to find the provider. */

/**
 * Whether the CUDA provider works in a process started as `where` says: `{ available, note, detail }`.
 * @param {Where} where
 */
export async function probed({ args = [], env = {} } = {}) {
	const script = `import { probeDevices } from ${JSON.stringify(RUNTIME)}; process.stdout.write(JSON.stringify((await probeDevices()).cuda));`;
	const { stdout } = await run(process.execPath, [...args, '--input-type=module', '-e', script], { env: { ...process.env, ...env } });
	return JSON.parse(stdout);
}

/** What the driver says of the GPU, or null. */
async function gpu() {
	const asked = run('nvidia-smi', ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader']);
	return asked.then(
		({ stdout }) => stdout.trim(),
		() => null,
	);
}

/** Ours on CUDA against ours on the CPU, and against PyTorch on CUDA where `peers` says so. */
async function raced(row, start, { where, quick, peers }) {
	const cpu = await ours(row, 1, start);
	if (cpu.absent !== undefined) throw new Error(`on the CPU: ${cpu.absent}`);
	const mine = await oursOn('cuda', row, start, where);
	const others = { cpu };
	if (peers) for (const mode of ['eager', 'compile', 'graphs']) others[mode] = await torchOnCuda(mode, start);
	return race(
		{ ours: mine.absent === undefined ? mine : { step: () => Promise.reject(new Error(mine.absent)) }, peers: others },
		quick ? QUICK : ROUNDS,
	);
}

/**
 * Training of the rows of the bench of these names, all where empty: figures by row, or why there are none.
 * @param {{ rows?: string[], where?: Where, quick?: boolean, peers?: boolean, tell?: (row: object) => void }} options
 */
export async function trainings({ rows = [], where = {}, quick = false, peers = true, tell = () => undefined }) {
	const folder = await mkdtemp(join(tmpdir(), 'steelyard-cuda-'));
	const found = [];
	try {
		for (const row of rowsOf(rows)) {
			const { name, title } = row;
			const figures = await raced(row, join(folder, 'start.safetensors'), { where, quick, peers }).catch((error) => ({
				failed: error.message,
			}));
			found.push({ name, title, ...figures });
			tell(found.at(-1));
		}
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
	return found;
}

/** What is wrong with a row of the training, in words; null for nothing. */
function wrongWith({ name, failed, peers }) {
	if (failed !== undefined) return `${name} does not train: ${failed}`;
	const { absent, losses } = peers.cpu;
	if (absent !== undefined) return `${name} was not compared with the CPU: ${absent}`;
	return losses === 'equal' ? null : `${name} does not train as on the CPU: ${losses}`;
}

/** A sentence for each thing that is wrong in what was placed and trained. */
export const faultsOf = ({ placement, rows }) => [
	...placement.filter(({ error }) => error !== null).map(({ name, error }) => `${name} does not run: ${error}`),
	...rows.map(wrongWith).filter((sentence) => sentence !== null),
];

async function placed(where, tell) {
	const models = [];
	for (const [name, { build }] of Object.entries(programs)) models.push({ name, ...(await build()) });
	const rows = await placementsOf(models, where, { timed: true });
	for (const row of rows) tell(row);
	return rows;
}

/** Checks everything: `{ at, machine, versions, gpu, placement, rows, wrong }`, where `wrong` has a sentence for each thing that is. `tell` is given every row. */
export async function check({ rows, where = {}, quick, peers = true, tell = () => undefined }) {
	const placement = await placed(where, tell);
	const trained = await trainings({ rows, where, quick, peers, tell });
	const torch = peers ? ((await pythonWith('torch')).versions ?? {}) : {};
	const versions = { ...(await ownVersions()), ...torch };
	return {
		...{ at: new Date().toISOString(), machine: machine(), versions, gpu: await gpu(), placement, rows: trained },
		wrong: faultsOf({ placement, rows: trained }),
	};
}

/** How often a step calls functions whose names begin so, where stubs counted them. */
const calls = ({ step }, kind) => Object.entries(step).reduce((sum, [name, [count]]) => (name.startsWith(kind) ? sum + count : sum), 0);

const time = ({ ms, absent, losses }) => (absent !== undefined ? `absent: ${absent}` : ms === undefined ? losses : `${ms.toFixed(3)} ms`);

/** The report as text. */
export function textOf({ at, gpu, machine, versions, placement, rows, wrong }) {
	const onHost = ({ cpu, copies }) => [
		...cpu.map(({ op }) => op),
		...copies.map(({ of, for: readers, to }) => `copy to ${to}: ${of} → ${readers}`),
	];
	const cells = ({ ours, peers = {}, failed }) =>
		failed === undefined
			? [time(ours), ...['cpu', 'eager', 'compile', 'graphs'].map((name) => (peers[name] ? time(peers[name]) : '–'))]
			: [`failed: ${failed}`, '', '', '', ''];
	const table = (head, lines) =>
		[head, head.map(() => '---'), ...lines]
			.map((line) => `| ${line.map((cell) => String(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`)
			.join('\n');
	return [
		'# Steelyard on CUDA',
		`${at}; ${gpu ?? 'no GPU was named'}; ${machine.cpu}; ${Object.entries(versions)
			.map((pair) => pair.join(' '))
			.join(', ')}`,
		`## ${wrong.length === 0 ? 'Nothing is wrong' : 'Wrong'}`,
		...(wrong.length === 0 ? [] : [wrong.map((sentence) => `- ${sentence}`).join('\n')]),
		'## A training step',
		'Losses of ours on CUDA are compared with those of every other; a time stands only where they agree.',
		table(
			['row', 'ours, CUDA', 'ours, CPU', 'PyTorch eager', 'torch.compile', 'CUDA graphs'],
			rows.map((row) => [row.title, ...cells(row)]),
		),
		'## Placement',
		table(
			['program', 'on the host', 'launches a step', 'uploads a step', 'processor time of a step'],
			placement.map((row) => [
				...[row.name, row.error ?? (onHost(row).join('; ') || 'nothing')],
				...(Object.keys(row.step).length === 0 ? ['–', '–'] : [calls(row, 'launch'), calls(row, 'copy: host to device')]),
				row.microseconds === null ? '–' : `${row.microseconds.toFixed(0)} µs`,
			]),
		),
		'',
	].join('\n\n');
}

/** Writes a report as `<name>.json` and `<name>.md` under out/, and gives the paths. */
export async function written(report, name = 'cuda-report') {
	await mkdir(OUT, { recursive: true });
	const paths = ['json', 'md'].map((end) => join(OUT, `${name}.${end}`));
	await writeFile(paths[0], `${JSON.stringify(report, null, '\t')}\n`);
	await writeFile(paths[1], textOf(report));
	return paths;
}
