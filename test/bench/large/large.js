// Training on a dataset that is far larger than the memory which a trainer takes, beside the same steps on one that it holds in memory.
import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { held } from '../cores.js';
import { median, row, span, spread } from '../figures.js';
import { answerOf, TRAINER, timed } from '../processes.js';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Rows and epochs of the two jobs: 4 GB are read from disk, 0.2 GB are held. */
const LARGE = { rows: 500_000, epochs: 2 };
const SMALL = { rows: 30_000, epochs: 10 };
/** What the files of both take while they are made. */
const ROOM = 9e9;

async function trained({ folder, epochs }, cores) {
	const output = join(folder, 'output');
	await rm(output, { recursive: true, force: true });
	await mkdir(output);
	const args = [here('train.js'), join(folder, 'dataset'), output, String(epochs)];
	const { printed } = await timed(...(await held(cores, process.execPath, args)), TRAINER);
	return JSON.parse(printed.split('\n').at(-1));
}

/** Both jobs in turn, with one thread and so many cores: with one, reading ahead takes the time of the training. */
async function compared(large, small, cores, rounds) {
	const [ofLarge, ofSmall] = [[], []];
	for (let round = 0; round < rounds; round++) {
		ofSmall.push(await trained(small, cores));
		ofLarge.push(await trained(large, cores));
	}
	const ratios = ofLarge.map(({ ms }, i) => ofSmall[i].ms / ms);
	const [ms, inMemory] = [ofLarge, ofSmall].map((runs) => median(runs.map((run) => run.ms)));
	const { stages, refresh } = ofLarge[0];
	const peakMiB = Math.max(...ofLarge.map((run) => run.peakMiB));
	row(
		`  training, one thread on ${cores} core${cores === 1 ? '' : 's'}`,
		`${ms.toFixed(2)} ms/step from disk, ${inMemory.toFixed(2)} in memory: ${median(ratios).toFixed(2)} of the speed (${span(spread(ratios))})`,
	);
	row(
		'    largest resident size',
		`${peakMiB.toFixed(0)} MiB; ${Object.entries(stages)
			.map(([name, peak]) => `${name} ${peak.toFixed(0)}`)
			.join(', ')}`,
	);
	row('    a refresh', `${refresh.toFixed(1)} s`);
	return { cores, ms, inMemoryMs: inMemory, ratio: median(ratios), ratioSpread: spread(ratios), peakMiB, stages, refresh };
}

/** `quick`: one round. */
export async function large({ quick }) {
	const folder = await mkdtemp(join(tmpdir(), 'steelyard-bench-'));
	try {
		const { bavail, bsize } = await statfs(folder);
		if (bavail * bsize < ROOM) {
			const absent = `${tmpdir()} has ${((bavail * bsize) / 1e9).toFixed(1)} GB of room, and ${ROOM / 1e9} GB are needed`;
			row('a dataset of 4 GB', `skipped: ${absent}`);
			return { absent };
		}
		const jobs = [];
		for (const [name, size] of Object.entries({ large: LARGE, small: SMALL })) {
			const own = join(folder, name);
			const made = await answerOf(here('make.js'), [own, String(size.rows)]);
			jobs.push({ ...size, folder: own, made });
		}
		const [{ made }] = jobs;
		row(
			`a dataset of ${(made.bytes / 1e9).toFixed(1)} GB, ${LARGE.rows} rows, received`,
			`${made.seconds.toFixed(0)} s, ${made.peakMiB.toFixed(0)} MiB`,
		);
		const runs = [];
		for (const cores of [2, 1]) runs.push(await compared(...jobs, cores, quick ? 1 : 3));
		return { received: made, runs };
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}
