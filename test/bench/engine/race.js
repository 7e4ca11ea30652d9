// Steps of ours and of its peers in turn, and what follows from them: who is how much faster, and whether they computed the same at all.
import { median, spread } from '../figures.js';

/** The losses of how many steps are compared, and how far they may be apart, relative to the larger. */
export const COMPARED = 20;
export const TOLERANCE = 1e-3;

/** Every process takes at least so many chunks before times count. */
const WARM_UP = 2;

/**
 * `equal` where the losses of a peer agree with ours over the first `COMPARED` steps, `void: …` with what is wrong otherwise. A loss that is missing or no number makes a row void: it must not look like an equal one.
 */
export function verdict(ours, theirs) {
	const count = Math.min(COMPARED, ours.length);
	if (count === 0) return 'void: no losses were told';
	if (theirs.length < count) return `void: the peer told ${theirs.length} losses, expected ${count}`;
	for (let i = 0; i < count; i++) {
		const [a, b] = [ours[i], theirs[i]];
		if (!Number.isFinite(a) || !Number.isFinite(b)) return `void: the losses of step ${i + 1} are ${a} and ${b}`;
		const apart = Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b), 1e-12);
		if (apart > TOLERANCE)
			return `void: the losses of step ${i + 1} are ${a.toPrecision(6)} and ${b.toPrecision(6)}, expected within ${TOLERANCE} of each other`;
	}
	// a model that does not learn would agree with anything
	if (count > 1 && new Set(ours.slice(0, count)).size === 1) return 'void: the loss does not change, so nothing was trained';
	return 'equal';
}

const contender = (process) => ({ process, losses: [], times: [], ratios: [], peakMiB: 0, absent: process.absent });

/** One chunk of a process. A peer that fails is absent from there on, with what it said. */
async function advance(one) {
	if (one.absent !== undefined) return null;
	try {
		const chunk = await one.process.step();
		one.peakMiB = chunk.peakMiB;
		if (one.losses.length < COMPARED) one.losses.push(...chunk.losses);
		return chunk.milliseconds;
	} catch (error) {
		one.absent = error.message;
		return null;
	}
}

const figuresOf = ({ times, peakMiB }) => ({ ms: median(times), spread: spread(times), peakMiB });

/** What is told of a peer: times and ratios only where its losses are equal to ours. */
function told(peer, ours) {
	if (peer.absent !== undefined) return { absent: peer.absent };
	const losses = verdict(ours.losses, peer.losses);
	if (losses !== 'equal') return { losses };
	return {
		...figuresOf(peer),
		...{ ratio: median(peer.ratios), ratioSpread: spread(peer.ratios), memoryRatio: ours.peakMiB / peer.peakMiB, losses },
	};
}

/**
 * Lets ours and the peers (processes by name: `{ step, stop }`, or `{ absent: reason }`) take a chunk each in turn: first until every one has warmed up and the losses
 * are there, then `rounds` times. A ratio is how many times as fast ours is as the peer in the same round. Throws where ours fails.
 */
export async function race({ ours, peers }, rounds) {
	const mine = contender(ours);
	const others = Object.entries(peers).map(([name, process]) => [name, contender(process)]);
	try {
		for (let chunk = 0, counted = 0; counted < rounds; chunk++) {
			const counts = chunk >= WARM_UP && mine.losses.length >= COMPARED;
			const milliseconds = await advance(mine);
			if (milliseconds === null) throw new Error(`ours: ${mine.absent}`);
			if (counts) mine.times.push(milliseconds);
			for (const [, peer] of others) {
				const theirs = await advance(peer);
				if (theirs === null || !counts) continue;
				peer.times.push(theirs);
				peer.ratios.push(theirs / milliseconds);
			}
			if (counts) counted++;
		}
	} finally {
		for (const { process } of [mine, ...others.map(([, peer]) => peer)]) process.stop?.();
	}
	return { ours: figuresOf(mine), peers: Object.fromEntries(others.map(([name, peer]) => [name, told(peer, mine)])) };
}
