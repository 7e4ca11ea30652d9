// A csv file becomes the features of a dataset: ours beside pandas and scikit-learn, each in a process of its own from its start to its end, one after the other.
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, range, row } from '../figures.js';
import { timed } from '../processes.js';
import { pythonWith } from '../python.js';
import { makeCsv } from './make-csv.js';

const MB = 1e6;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** One run into a folder, which is made anew: seconds, and the largest resident size in MiB. */
async function intoFolder(command, script, file, folder) {
	await rm(folder, { recursive: true, force: true });
	await mkdir(folder);
	const { seconds, printed } = await timed(command, [here(script), file, folder]);
	return { seconds, peakMiB: Number(printed.split('\n').at(-1)) };
}

/** Compares what both made: the row of a bench that did different things would say nothing. Throws where they differ. */
async function agreement(python, ours, theirs) {
	const { printed } = await timed(python, [here('agree.py'), join(ours, 'dataset'), theirs]);
	return JSON.parse(printed);
}

function report({ size, rows, mine, theirs, agreed }) {
	const peak = (runs) => Math.max(...runs.map(({ peakMiB }) => peakMiB)).toFixed(0);
	const seconds = (runs) => median(runs.map((one) => one.seconds));
	const speed = (runs) => `${seconds(runs).toFixed(1)} s, ${(size / MB / seconds(runs)).toFixed(1)} MB/s, ${peak(runs)} MiB`;
	row(`ingestion of a csv file of ${(size / MB).toFixed(0)} MB, ${rows} rows`, speed(mine));
	const figures = { seconds: seconds(mine), peakMiB: Number(peak(mine)), bytes: size, rows };
	if (agreed === null) return figures;
	const ratios = mine.map((one, i) => theirs[i].seconds / one.seconds);
	row(
		'  pandas and scikit-learn, same run',
		`${speed(theirs)}; ours is ${median(ratios).toFixed(2)} times as fast (${range(ratios)}), memory ${(peak(mine) / peak(theirs)).toFixed(2)} x`,
	);
	row(
		'  features: ours, theirs, of both; furthest apart in the sampled rows',
		`${agreed.ours}, ${agreed.theirs}, ${agreed.both}; ${agreed.furthest.toExponential(1)} in ${agreed.rows}`,
	);
	return { ...figures, pandas: { seconds: seconds(theirs), peakMiB: Number(peak(theirs)), ratio: median(ratios) } };
}

/** Ingestion of a file of 200 MB, the median of three rounds; `quick`: of 20 MB, once. */
export async function tables({ quick }) {
	const folder = await mkdtemp(join(tmpdir(), 'steelyard-bench-'));
	try {
		const file = join(folder, 'table.csv');
		const rows = await makeCsv(file, { bytes: (quick ? 20 : 200) * MB });
		const { python, absent } = await pythonWith('numpy', 'pandas', 'sklearn');
		const [mine, theirs] = [[], []];
		for (let round = 0; round < (quick ? 1 : 3); round++) {
			mine.push(await intoFolder(process.execPath, 'ingest.js', file, join(folder, 'ours')));
			if (python !== undefined) theirs.push(await intoFolder(python, 'ingest_peer.py', file, join(folder, 'theirs')));
		}
		const agreed = python === undefined ? null : await agreement(python, join(folder, 'ours'), join(folder, 'theirs'));
		const figures = report({ size: (await stat(file)).size, rows, mine, theirs, agreed });
		if (agreed !== null) return figures;
		row('  pandas and scikit-learn, same run', `absent: ${absent}`);
		return { ...figures, pandas: { absent } };
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}
