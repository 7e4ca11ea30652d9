// What the BTW weights cost: a refresh beside the epochs between two of them, and its arithmetic beside the same in Python.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, range, row } from '../figures.js';
import { answerOf, stepping } from '../processes.js';
import { pythonWith } from '../python.js';

const WARM_UP = 2;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

async function refreshes() {
	const { absent, refreshes, maxRssMiB } = await answerOf(here('refresh.js'));
	if (absent) {
		row('BTW refresh on p12_icu', `skipped: ${absent}`);
		return { absent };
	}
	const percent = median(refreshes.map(({ refresh, epochs }) => (100 * refresh) / epochs));
	const ms = median(refreshes.map(({ refresh }) => refresh));
	row('BTW refresh on p12_icu, of the epochs between refreshes', `${percent.toFixed(1)} % (${ms.toFixed(0)} ms)`);
	row('trainer on p12_icu, largest resident size', `${maxRssMiB.toFixed(0)} MiB`);
	return { percent, ms, peakMiB: maxRssMiB };
}

/** `count` runs after a warm-up; gives their figures. */
async function repeated(process, count) {
	for (let i = 0; i < WARM_UP; i++) await process.step();
	const runs = [];
	for (let i = 0; i < count; i++) runs.push(await process.step());
	return runs;
}

const arithmetic = (...args) => stepping(process.execPath, [here('arithmetic.js'), ...args]);

async function pandas(folder) {
	const { python, absent } = await pythonWith('numpy', 'scipy', 'sklearn', 'pandas');
	return absent === undefined ? stepping(python, [here('../peers/refresh_peer.py'), folder, '4']) : { absent };
}

/** Both weigh the same predictions and must come to the same mean weights, but for the noise by which each breaks the ties of float32. */
async function refreshArithmetic(quick) {
	const folder = await mkdtemp(join(tmpdir(), 'steelyard-bench-'));
	const mine = await arithmetic('refresh', folder);
	const theirs = await pandas(folder);
	const [times, ratios] = [[], []];
	for (let round = 0; round < (quick ? 1 : 2); round++) {
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
		theirs.step ? `ours is ${median(ratios).toFixed(0)} times as fast (${range(ratios)})` : `absent: ${theirs.absent}`,
	);
	return { ms: median(times), pandas: theirs.step ? { ratio: median(ratios) } : { absent: theirs.absent } };
}

async function consensus() {
	const vote = await arithmetic('consensus');
	const votes = await repeated(vote, 5);
	vote.stop();
	const [ms, fitMs] = [0, 1].map((at) => median(votes.map(({ figures }) => figures[at])));
	row('consensus of 20,000 instances, 10 modalities, 10 classes', `${ms.toFixed(0)} ms`);
	row('  fitting its statistics', `${fitMs.toFixed(0)} ms`);
	return { ms, fitMs };
}

export async function weighting({ quick }) {
	return { refresh: await refreshes(), arithmetic: await refreshArithmetic(quick), consensus: await consensus() };
}
