// Training steps on devices beside the CPU. What is not there is said, so that no reader takes the CPU's figures for theirs.
import { probed, trainings } from '../cuda/check.js';
import { titles } from './engine/contenders.js';
import { row as line } from './figures.js';

const size = ({ ms }) => `${ms.toFixed(3)} ms/step`;

function describe({ absent, losses, ratio, ...peer }) {
	if (absent !== undefined) return `absent: ${absent}`;
	return losses === 'equal' ? `${size(peer)}; ours is ${ratio.toFixed(2)} times as fast` : losses;
}

function print({ title, failed, ours, peers }) {
	line(`${title}, CUDA`, failed ?? size(ours));
	for (const [name, peer] of Object.entries(peers ?? {}))
		line(`  ${name === 'cpu' ? 'ours on the CPU, one thread' : titles[name]}`, describe(peer));
}

/** `{ cuda }`: figures by row as of `engine`, or `{ absent }`. */
export async function devices({ quick, rows }) {
	const { available, note, detail } = await probed();
	if (available) return { cuda: { rows: await trainings({ rows, quick, tell: print }) } };
	const absent = note === 'no GPU found' ? note : `${note} (${detail})`;
	line('CUDA', `absent: ${absent}`);
	return { cuda: { absent } };
}
