// `npm run bench`: ours beside PyTorch in one run, interleaved, as ratios; what compiling takes; the arithmetic of the weights; costs and memory of the service; predictions; then reading a table.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median, range, row } from './figures.js';
import { ours, peer, torch, weighting } from './peer.js';
import { tables } from './tables/tables.js';

const WARM_UP = 2;

/** Interleaves our steps with PyTorch's, and with those of `other` of ours; prints times and memory and gives what our process said when it had compiled. */
async function beside(name, title, rounds, other = null) {
	const mine = await ours(name);
	const theirs = await torch(name);
	const variant = other && (await ours(other.name));
	const times = { ours: [], torch: [], ratio: [], variant: [] };
	let variantMemory = 0;
	let memory = { ours: 0, torch: 0 };
	for (let round = 0; round < rounds + WARM_UP; round++) {
		const a = await mine.step();
		const b = theirs.step ? await theirs.step() : { milliseconds: Number.NaN, peakMiB: Number.NaN };
		memory = { ours: a.peakMiB, torch: b.peakMiB };
		const c = await variant?.step();
		variantMemory = c?.peakMiB ?? 0;
		if (round < WARM_UP) continue;
		if (c) times.variant.push(c.milliseconds / a.milliseconds);
		times.ours.push(a.milliseconds);
		times.torch.push(b.milliseconds);
		times.ratio.push(b.milliseconds / a.milliseconds);
	}
	mine.stop();
	theirs.stop?.();
	variant?.stop();
	row(title, `${median(times.ours).toFixed(2)} ms/step, ${memory.ours.toFixed(0)} MiB`);
	if (theirs.step)
		row(
			'  PyTorch eager, fused Adam, same run',
			`${median(times.torch).toFixed(2)} ms/step, ${memory.torch.toFixed(0)} MiB; ours is ${median(times.ratio).toFixed(2)} times as fast (${range(times.ratio)}), memory ${(memory.ours / memory.torch).toFixed(2)} x`,
		);
	else row('  PyTorch eager, fused Adam, same run', `peer absent: ${theirs.absent}`);
	if (variant)
		row(
			other.title,
			`takes ${median(times.variant).toFixed(2)} times as long (${range(times.variant)}), ${variantMemory.toFixed(0)} MiB: ${(variantMemory / memory.ours).toFixed(2)} x`,
		);
	return JSON.parse(mine.first);
}

const child = async (name, options = []) => {
	const program = fileURLToPath(new URL(name, import.meta.url));
	const { stdout } = await promisify(execFile)(process.execPath, [program, ...options], { maxBuffer: 1e8 });
	return JSON.parse(stdout.trim().split('\n').at(-1));
};

async function steps() {
	await beside('fusion', 'mlp-fusion, 3 modalities, width 128, batch 32, 1 thread', 7);
	await beside('experts', 'mmim-moe, 3 modalities (2 sequences of 30 steps), 16 experts, batch 32, 1 thread', 7);
	await beside('transformer', 'transformer, 4 layers, width 128, 64 tokens, batch 16, 1 thread', 15);
	await beside('convolution', 'conv net, 3 layers, 32×32 images, batch 32, 1 thread', 15);
	await beside('lstm', 'LSTM, 30 steps, 32→64, batch 32, 1 thread', 15);
	const recomputing = { name: 'recomputing', title: '  with recompute: segments' };
	const { milliseconds, counts } = await beside('deep', 'transformer, 12 layers, width 128, 64 tokens, batch 16, 1 thread', 9, recomputing);
	row(
		`  compiled from ${counts.forward} nodes: canonicalise; differentiate`,
		`${milliseconds.canonicalise.toFixed(0)} ms; ${milliseconds.differentiate.toFixed(0)} ms`,
	);
	row(`  its training session of ${counts.step} nodes`, `${milliseconds.session.toFixed(0)} ms`);
}

async function refreshes() {
	const refresh = await child('refresh.js');
	if (refresh.absent) return row('BTW refresh on p12_icu', `skipped: ${refresh.absent}`);
	const share = refresh.refreshes.map(({ refresh: cost, epochs }) => (100 * cost) / epochs);
	row(
		'BTW refresh on p12_icu, of the epochs between refreshes',
		`${median(share).toFixed(1)} % (${median(refresh.refreshes.map((r) => r.refresh)).toFixed(0)} ms)`,
	);
	row('trainer on p12_icu, largest resident size', `${refresh.maxRssMiB.toFixed(0)} MiB`);
}

/** `count` runs after a warm-up; gives their figures. */
async function repeated(process, count) {
	for (let i = 0; i < WARM_UP; i++) await process.step();
	const runs = [];
	for (let i = 0; i < count; i++) runs.push(await process.step());
	return runs;
}

/** Both weigh the same predictions and must come to the same mean weights, but for the noise by which each breaks the ties of float32. */
async function weights() {
	const folder = await mkdtemp(join(tmpdir(), 'steelyard-bench-'));
	const mine = await weighting('refresh', folder);
	const packages = { numpy: 'numpy', scipy: 'scipy', 'scikit-learn': 'sklearn', pandas: 'pandas' };
	const theirs = await peer('refresh_peer.py', [folder, '4'], packages);
	const [times, ratios] = [[], []];
	for (let round = 0; round < 2; round++) {
		const runs = await repeated(mine, 5);
		times.push(...runs.map(({ milliseconds }) => milliseconds));
		if (!theirs.step) continue;
		const { milliseconds, figures } = await theirs.step();
		ratios.push(milliseconds / median(runs.map((run) => run.milliseconds)));
		const apart = Math.max(...figures.slice(1).map((weight, m) => Math.abs(weight - runs[0].figures[m + 1])));
		if (!(apart < 1e-3)) throw new Error(`the mean weights of ours and of the peer differ by ${apart}`);
	}
	mine.stop();
	theirs.stop?.();
	await rm(folder, { recursive: true });
	row('arithmetic of a BTW refresh, 20,000 instances, 4 modalities, KSG', `${median(times).toFixed(0)} ms (${range(times)})`);
	row(
		'  row by row in pandas with SciPy and scikit-learn, same run',
		theirs.step ? `ours is ${median(ratios).toFixed(0)} times as fast (${range(ratios)})` : `peer absent: ${theirs.absent}`,
	);
	const vote = await weighting('consensus');
	const votes = await repeated(vote, 5);
	vote.stop();
	row('consensus of 20,000 instances, 10 modalities, 10 classes', `${median(votes.map(({ figures }) => figures[0])).toFixed(0)} ms`);
	row('  fitting its statistics', `${median(votes.map(({ figures }) => figures[1])).toFixed(0)} ms`);
}

async function service() {
	const figures = await child('service.js');
	row('POST to the first training steps told, service at rest', `${median(figures.idleMs).toFixed(0)} ms`);
	row('  right after another job', `${median(figures.busyMs).toFixed(0)} ms`);
	row('worker, largest resident size; API, resident', `${figures.workerPeakMiB.toFixed(0)} MiB; ${figures.apiMiB.toFixed(0)} MiB`);
}

/** The value that 95 % of some are below. */
const most = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)];

async function predictions({ quick }) {
	const { coldMs, oneMs, jsonMs, csvMs, rows } = await child('predictions.js', quick ? ['--quick'] : []);
	const perSecond = (milliseconds) => `${Math.round((rows / median(milliseconds)) * 1000).toLocaleString('en')} rows/s`;
	row(
		'prediction of one row by HTTP, model warm',
		`${median(oneMs).toFixed(1)} ms, 95 % under ${most(oneMs).toFixed(1)} ms; ${coldMs.toFixed(0)} ms where the process begins`,
	);
	row(`  of ${rows.toLocaleString('en')} rows in a request`, `${perSecond(jsonMs)} as JSON; ${perSecond(csvMs)} as csv`);
}

const parts = { steps, refreshes, weights, service, predictions, tables };
const wanted = process.argv.slice(2).filter((word) => word !== '--quick');
const quick = process.argv.includes('--quick');
for (const [name, part] of Object.entries(parts)) if (wanted.length === 0 || wanted.includes(name)) await part({ quick });
