// Training steps: ours and every peer interleaved, row by row.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { row as line, span } from '../figures.js';
import { ours, peers, titles } from './contenders.js';
import { race } from './race.js';
import { rowsOf } from './rows.js';

const ROUNDS = 9;
const QUICK = 3;

const size = ({ ms, peakMiB }) => `${ms.toFixed(2)} ms/step, ${peakMiB.toFixed(0)} MiB`;

function describe(peer) {
	if (peer.absent !== undefined) return `absent: ${peer.absent}`;
	if (peer.losses !== 'equal') return peer.losses;
	const { ratio, ratioSpread, memoryRatio } = peer;
	return `${size(peer)}; ours is ${ratio.toFixed(2)} times as fast (${span(ratioSpread)}), memory ${memoryRatio.toFixed(2)} x`;
}

function print({ title, threads, ours, peers, compiled }) {
	line(`${title}, ${threads} thread${threads === 1 ? '' : 's'}`, size(ours));
	for (const [name, peer] of Object.entries(peers)) line(`  ${titles[name] ?? `ours with ${name}`}`, describe(peer));
	const { milliseconds, counts } = compiled;
	if (milliseconds === undefined) return;
	const took = ['canonicalise', 'differentiate', 'session'].map((part) => `${part} ${milliseconds[part].toFixed(0)} ms`);
	line(`  compiled: ${counts.forward} nodes, ${counts.step} of a step`, took.join('; '));
}

async function raceOf(row, threads, rounds, folder) {
	const start = join(folder, 'start.safetensors');
	const mine = await ours(row, threads, start);
	if (mine.absent !== undefined) throw new Error(`ours on ${row.name}: ${mine.absent}`);
	const others = {};
	for (const [name, peer] of Object.entries(peers)) others[name] = await peer(start, threads);
	for (const variant of Object.keys(row.variants ?? {})) others[variant] = await ours(row, threads, start, variant);
	return { ...(await race({ ours: mine, peers: others }, rounds)), compiled: JSON.parse(mine.first) };
}

/** Races on the rows of the given names, all unless given, with each number of threads; every one is told, and given as it stands in the JSON. */
async function races({ rows: names, threads: counts }, rounds, tell) {
	const results = [];
	const folder = await mkdtemp(join(tmpdir(), 'steelyard-bench-'));
	try {
		for (const row of rowsOf(names))
			for (const threads of counts) {
				const { name, title } = row;
				results.push({ name, title, threads, ...(await raceOf(row, threads, rounds, folder)) });
				tell(results.at(-1));
			}
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
	return results;
}

/** Times, ratios and memory of training steps. */
export const engine = (options) => races(options, options.quick ? QUICK : ROUNDS, print);

function printMemory({ title, threads, ours, peers }) {
	const peak = ({ absent, losses, peakMiB, memoryRatio }) => {
		if (absent !== undefined) return `absent: ${absent}`;
		return losses === 'equal' ? `${peakMiB.toFixed(0)} MiB, ours is ${memoryRatio.toFixed(2)} x` : losses;
	};
	line(`${title}, ${threads} thread${threads === 1 ? '' : 's'}`, `${ours.peakMiB.toFixed(0)} MiB`);
	for (const [name, peer] of Object.entries(peers)) line(`  ${titles[name] ?? `ours with ${name}`}`, peak(peer));
}

/** The largest resident size of each process in as few rounds as it takes. */
export async function memory(options) {
	const results = await races(options, 1, printMemory);
	const peaks = ({ absent, losses, peakMiB, memoryRatio }) => (losses === 'equal' ? { peakMiB, memoryRatio, losses } : { absent, losses });
	return {
		rows: results.map(({ name, title, threads, ours: { peakMiB }, peers }) => ({
			...{ name, title, threads, ours: { peakMiB } },
			peers: Object.fromEntries(Object.entries(peers).map(([peer, figures]) => [peer, peaks(figures)])),
		})),
	};
}
