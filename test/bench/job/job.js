// A whole job on PhysioNet 2012, each side in a process of its own from its start to the file that it writes, one after the other. Ours is a bundle, as the programs of
// the services are.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildBundle } from '../../../bin/build-bundle.js';
import { held } from '../cores.js';
import { icu, withoutIcu } from '../data.js';
import { median, row, span, spread } from '../figures.js';
import { TRAINER, timed } from '../processes.js';
import { pythonWith } from '../python.js';
import { sameQuality } from './quality.js';
import { training } from './spec.js';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
/** From there ONNX Runtime is found. */
const BUNDLE = here('../../bundle');

/** One run into a folder, which is made anew: seconds, and what the process printed. */
async function intoFolder(folder, command, args, env) {
	await rm(folder, { recursive: true, force: true });
	await mkdir(folder);
	const { seconds, printed } = await timed(...(await held(1, command, args)), env);
	return { seconds, ...JSON.parse(printed.split('\n').at(-1)) };
}

const figuresOf = (runs) => {
	const seconds = runs.map((run) => run.seconds);
	return {
		seconds: median(seconds),
		spread: spread(seconds),
		peakMiB: Math.max(...runs.map(({ peakMiB }) => peakMiB)),
		auroc: runs[0].auroc,
	};
};

/** What is told of the script: times and ratios only where it reached what ours did. */
function told(mine, theirs) {
	const quality = sameQuality(mine[0], theirs[0]);
	if (quality !== 'equal') return { quality };
	const ratios = theirs.map(({ seconds }, i) => seconds / mine[i].seconds);
	const figures = figuresOf(theirs);
	return {
		...figures,
		...{ ratio: median(ratios), ratioSpread: spread(ratios), memoryRatio: figuresOf(mine).peakMiB / figures.peakMiB, quality },
	};
}

function print({ ours, eager }) {
	const text = ({ seconds, peakMiB, auroc }) => `${seconds.toFixed(2)} s, ${peakMiB.toFixed(0)} MiB, AUROC ${auroc.toFixed(3)}`;
	row(`whole job on p12_icu, ${training.epochs} epochs, from the start of the process to its files`, text(ours));
	const peer = '  a script in PyTorch eager, fused AdamW';
	if (eager.absent !== undefined) return row(peer, `absent: ${eager.absent}`);
	if (eager.quality !== 'equal') return row(peer, eager.quality);
	const { ratio, ratioSpread, memoryRatio } = eager;
	row(peer, `${text(eager)}; ours is ${ratio.toFixed(2)} times as fast (${span(ratioSpread)}), memory ${memoryRatio.toFixed(2)} x`);
}

/** The median of five runs of each side after one that warms the caches of the system; `quick`: of one. */
export async function job({ quick }) {
	if (withoutIcu !== null) {
		row('whole job on p12_icu', `skipped: ${withoutIcu}`);
		return { absent: withoutIcu };
	}
	const folder = await mkdtemp(join(tmpdir(), 'steelyard-bench-'));
	try {
		const { python, absent } = await pythonWith('numpy', 'torch');
		await buildBundle([here('train.js')], { outdir: BUNDLE, engine: ['@steelyard/runtime'] });
		const [mine, theirs] = [[], []];
		for (let round = 0; round < (quick ? 2 : 6); round++) {
			const [a, b] = [join(folder, 'ours'), join(folder, 'theirs')];
			const ours = await intoFolder(a, process.execPath, [join(BUNDLE, 'train.js'), icu, a], TRAINER);
			const peer = python && (await intoFolder(b, python, [here('../peers/job_peer.py'), icu, b, JSON.stringify(training)]));
			if (round === 0) continue;
			mine.push(ours);
			if (peer) theirs.push(peer);
		}
		const figures = { ours: figuresOf(mine), eager: python === undefined ? { absent } : told(mine, theirs) };
		print(figures);
		return figures;
	} finally {
		await rm(folder, { recursive: true, force: true });
		await rm(BUNDLE, { recursive: true, force: true });
	}
}
